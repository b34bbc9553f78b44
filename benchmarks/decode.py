"""Decode + resize to the model's side: leafsight against plain Pillow, interleaved in one run.

    python benchmarks/decode.py [--rounds 9] [--photos 60] [--json]

Uses the 256 px originals in data/plantvillage-native-sample where they are; otherwise it draws some. The
12-megapixel photographs are always drawn. In every round each method goes over all photographs once, so
that a noisy machine disturbs all of them alike. Times are processor time of one thread, the median over
the rounds; a ratio is plain Pillow's time divided by the method's, the median over the rounds as well.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: the promise is about one core

import argparse
import io
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image

from leafsight.images import Preprocessing, prepare_bytes

PHOTOGRAPHS = Path(__file__).resolve().parents[1] / "data" / "plantvillage-native-sample"
BILINEAR = Image.Resampling.BILINEAR
PROMISES = {"256 px": 1.4, "12 megapixels": 4.0}

Method = Callable[[bytes, int], np.ndarray]


def plain_pillow(data: bytes, side: int) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB").resize((side, side), BILINEAR))


def pillow_draft(data: bytes, side: int) -> np.ndarray:
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (2 * side, 2 * side))
    return np.asarray(image.convert("RGB").resize((side, side), BILINEAR))


def leafsight(data: bytes, side: int) -> np.ndarray:
    return prepare_bytes(data, _contract(side))


@cache
def _contract(side: int) -> Preprocessing:
    return Preprocessing(side_px=side)


def simplejpeg_with(**options: bool) -> Method:
    def method(data: bytes, side: int) -> np.ndarray:
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
        reduction = next((r for r in (8, 4, 2) if min(height, width) >= 2 * r * side), 1)
        smallest = {"min_height": -(-height // reduction), "min_width": -(-width // reduction)}
        pixels = simplejpeg.decode_jpeg(data, "RGB", **smallest, **options)
        return np.asarray(Image.fromarray(pixels).resize((side, side), BILINEAR))

    return method


METHODS: dict[str, Method] = {
    "plain Pillow": plain_pillow,
    "leafsight": leafsight,
    "Pillow draft": pillow_draft,
    "simplejpeg": simplejpeg_with(),
    "simplejpeg fastdct": simplejpeg_with(fastdct=True),
    "simplejpeg fastupsample": simplejpeg_with(fastupsample=True),
}


def small_photographs(count: int) -> tuple[list[bytes], str]:
    paths = sorted(PHOTOGRAPHS.rglob("*.*")) if PHOTOGRAPHS.is_dir() else []
    found = [path.read_bytes() for path in paths[:: max(1, len(paths) // (count * 2))]]
    found = [data for data in found if Image.open(io.BytesIO(data)).size == (256, 256)][:count]
    if found:
        return found, str(PHOTOGRAPHS.name)
    return [_drawn(256, 256, seed) for seed in range(count)], "drawn here"


def _drawn(width: int, height: int, seed: int) -> bytes:
    """Smooth colour with detail at every scale and some sensor noise, JPEG quality 90."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 110.0, np.float32)
    for cells in (4, 16, 64, 256):
        patch = rng.normal(0, 60 / np.sqrt(cells), (cells, cells, 3)).astype(np.float32)
        layers = [
            np.asarray(Image.fromarray(patch[..., c]).resize((width, height), Image.Resampling.BICUBIC))
            for c in range(3)
        ]
        picture += np.stack(layers, axis=-1)
    picture += rng.normal(0, 3, picture.shape)
    target = io.BytesIO()
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(target, "JPEG", quality=90)
    return target.getvalue()


def measure(photographs: list[bytes], side: int, rounds: int) -> list[dict[str, object]]:
    seconds = {name: [0.0] * rounds for name in METHODS}
    reference = [plain_pillow(data, side).astype(np.int16) for data in photographs]
    differences = {
        name: statistics.fmean(
            float(np.abs(method(data, side) - wanted).mean())
            for data, wanted in zip(photographs, reference, strict=True)
        )
        for name, method in METHODS.items()
    }
    for turn in range(rounds):
        for name, method in METHODS.items():
            before = time.thread_time()
            for data in photographs:
                method(data, side)
            seconds[name][turn] = time.thread_time() - before
    plain = seconds["plain Pillow"]
    return [
        {
            "method": name,
            "ms_per_photo": 1000 * statistics.median(spent) / len(photographs),
            "ratio": statistics.median(p / s for p, s in zip(plain, spent, strict=True)),
            "lowest_ratio": min(p / s for p, s in zip(plain, spent, strict=True)),
            "highest_ratio": max(p / s for p, s in zip(plain, spent, strict=True)),
            "mean_difference": differences[name],
        }
        for name, spent in seconds.items()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--large-photos", type=int, default=4)
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 160, 224])
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()

    small, origin = small_photographs(options.photos)
    large = [_drawn(4000, 3000, seed) for seed in range(options.large_photos)]
    rows = []
    for size, photographs in (("256 px", small), ("12 megapixels", large)):
        for side in options.sides:
            found = measure(photographs, side, options.rounds)
            rows.extend({"size": size, "side_px": side, **row} for row in found)
    ours = [row for row in rows if row["method"] == "leafsight"]
    kept = {
        "256 px": all(
            r["ratio"] >= 1.4 and r["mean_difference"] <= 1.0 for r in ours if r["size"] == "256 px"
        ),
        "12 megapixels": all(r["ratio"] >= 4.0 for r in ours if r["size"] != "256 px"),
    }
    if options.json:
        print(
            json.dumps({"machine": platform.machine(), "small": origin, "rows": rows, "kept": kept}, indent=2)
        )
        return 0
    print(
        f"256 px: {len(small)} photographs, {origin}; 12 megapixels: {len(large)} drawn; "
        f"{options.rounds} rounds"
    )
    print(f"{'size':14}{'side':>5}  {'method':24}{'ms':>8}{'ratio':>7}{'(range)':>14}{'difference':>12}")
    for row in rows:
        spread = f"{row['lowest_ratio']:.2f}-{row['highest_ratio']:.2f}"
        print(
            f"{row['size']:14}{row['side_px']:>5}  {row['method']:24}{row['ms_per_photo']:8.2f}"
            f"{row['ratio']:7.2f}{spread:>14}{row['mean_difference']:12.2f}"
        )
    for size, promise in PROMISES.items():
        print(f"{size}: at least {promise} times plain Pillow: {'kept' if kept[size] else 'NOT KEPT'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
