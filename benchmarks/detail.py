"""How many pixels of detail do the photographs of a folder carry?

    python -m benchmarks.detail data/flowers data/plantvillage data/cifar-10-jpeg [--side 128] [--photos 200]

A photograph is brought to one side, made smaller, enlarged again (Lanczos both times) and compared with
itself: the peak signal-to-noise ratio in dB, median over a random sample. Where a small side already gives
40 dB, the file was enlarged from about that size, and no larger network input brings detail back.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from leafsight.dataset import index_photos

SIDES = (24, 32, 40, 48, 64, 80, 96, 112)


def ratio_db(photo: Image.Image, small_px: int) -> float:
    """Peak signal-to-noise ratio of the photograph after a detour over ``small_px``."""
    there = photo.resize((small_px, small_px), Image.Resampling.LANCZOS)
    back = there.resize(photo.size, Image.Resampling.LANCZOS)
    wrong = np.asarray(photo, np.float64) - np.asarray(back, np.float64)
    return float(10 * np.log10(255.0**2 / max(float((wrong**2).mean()), 1e-9)))


def detail(folder: Path, side_px: int, photos: int, seed: int) -> dict[int, float]:
    """Median ratio over a sample, by small side."""
    files = index_photos(folder).usable().files()
    chosen = np.random.default_rng(seed).permutation(len(files))[:photos]
    pictures = []
    for at in chosen:
        with Image.open(files[at]) as opened:
            pictures.append(opened.convert("RGB").resize((side_px, side_px), Image.Resampling.LANCZOS))
    return {
        small: round(float(np.median([ratio_db(one, small) for one in pictures])), 1)
        for small in SIDES
        if small < side_px
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {one.name: detail(one, given.side, given.photos, given.seed) for one in given.folders}
    if given.json:
        print(json.dumps(found, indent=1))
        return
    sides = next(iter(found.values()))
    print("\n".join([f"| dB at {given.side} px over | {' | '.join(f'{px} px' for px in sides)} |",
                     f"|{' --- |' * (len(sides) + 1)}"]))  # fmt: skip
    for name, row in found.items():
        print(f"| {name} | {' | '.join(map(str, row.values()))} |")


if __name__ == "__main__":
    main()
