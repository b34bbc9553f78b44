"""Write the golden files: python -m tests.images.golden.make_golden. Only when the contract changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from tests.images.drawn_pictures import drawn, encode, exif_with

from leafsight.images import Preprocessing, decode, prepare_bytes

HERE = Path(__file__).resolve().parent

CONTRACTS = {
    "squash": Preprocessing(side_px=16),
    "crop": Preprocessing(side_px=16, resize="crop", crop_fraction=0.875),
    "letterbox": Preprocessing(side_px=16, resize="letterbox"),
    "bicubic": Preprocessing(side_px=16, resample="bicubic"),
    "tiny": Preprocessing(side_px=8),  # JPEG: decoded at 1/2 first
}


def files() -> dict[str, bytes]:
    colour = Image.fromarray(drawn())
    grey16 = np.asarray(colour.convert("L")).astype(np.uint16) * 257
    alpha = colour.copy()
    alpha.putalpha(colour.convert("L"))
    return {
        "baseline.jpg": encode(colour, "JPEG", quality=90, subsampling="4:2:0"),
        "progressive.jpg": encode(colour, "JPEG", quality=80, progressive=True, subsampling="4:4:4"),
        "turned.jpg": encode(colour, "JPEG", quality=90, exif=exif_with(6)),
        "grey.jpg": encode(colour.convert("L"), "JPEG", quality=90),
        "cmyk.jpg": encode(colour.convert("CMYK"), "JPEG", quality=90),
        "colour.png": encode(colour, "PNG"),
        "alpha.png": encode(alpha, "PNG"),
        "grey16.png": encode(Image.fromarray(grey16), "PNG"),
        "lossless.webp": encode(colour, "WEBP", lossless=True),
    }


def expected(name: str, data: bytes) -> dict[str, np.ndarray]:
    found = {f"{name}/{contract}": prepare_bytes(data, CONTRACTS[contract]) for contract in CONTRACTS}
    # The whole picture as well, in every second pixel: enough to see a turn, half as long.
    return {**found, f"{name}/decoded": decode(data)[::2, ::2]}


if __name__ == "__main__":
    arrays: dict[str, np.ndarray] = {}
    for name, data in files().items():
        (HERE / name).write_bytes(data)
        arrays.update(expected(name, data))
    np.savez_compressed(HERE / "expected.npz", **arrays)
