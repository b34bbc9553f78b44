"""Archives as publishers make them, drawn here, and records that say where they can be had."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping

import numpy as np
from PIL import Image

LICENCE = {
    "name": "CC BY 4.0",
    "address": "https://creativecommons.org/licenses/by/4.0/",
    "notice": "Name them.",
}


def photo(seed: int, side_px: int = 12) -> bytes:
    """A small JPEG."""
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (side_px, side_px, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(out, "JPEG")
    return out.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip with these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def tarred(files: Mapping[str, bytes], *, link: str = "") -> bytes:
    """A tar.gz with these files and perhaps a link that leads out."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "../../secret"
            packed.addfile(info)
    return out.getvalue()


def cifar_batch(labels: list[int], seed: int = 0) -> tuple[bytes, np.ndarray]:
    """CIFAR-10 records and the pictures in them, uint8[n, 32, 32, 3]."""
    pictures = np.random.default_rng(seed).integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8)
    planes = pictures.transpose(0, 3, 1, 2).reshape(len(labels), -1)
    records = np.concatenate([np.array(labels, dtype=np.uint8)[:, None], planes], axis=1)
    return records.tobytes(), pictures


def leaf_zip(count: int = 3) -> bytes:
    """Two classes below a wrapping folder."""
    names = ("rust", "healthy")
    return zipped(
        {f"wrap/{name}/leaf {n}.jpg": photo(n + 10 * i) for i, name in enumerate(names) for n in range(count)}
    )
