"""Is a planted leak reported with its true size? Like that of the "New Plant Diseases" collection.

    python benchmarks/leak.py FOLDER [FOLDER ...] [--shares 0 0.05 0.615] [--seeds 0 1 2] [--json]

For every folder of class folders, seed and share: photographs are divided into train and valid by what is
known of them to belong together (leaf map, equal pixels, runs of the camera's counter), then valid
photographs are replaced, as many as the share says, by copies of photographs of train, each mirrored, upside
down, turned by a quarter, slightly rotated, cropped, brightened or only saved again, at random. Nothing else
is in valid twice. ``leafsight check`` is asked; the share that it reports is compared with the planted one.
With a share of 0 what remains is what the photographs themselves share, bursts included.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from leafsight.dataset import (
    GroupOptions,
    Sketches,
    SplitOptions,
    index_photos,
    read_leaf_map,
    split_photos,
)
from leafsight.inspection import CheckOptions, Looked, check_collection

Change = Callable[[Image.Image, np.random.Generator], Image.Image]
RULES = GroupOptions(group_by=("column", "leaf_map", "duplicates", "near_duplicates", "capture_runs"))


def _cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    side = rng.uniform(0.82, 0.95)
    width, height = (round(size * side) for size in image.size)
    left, top = (
        int(rng.integers(0, size - kept + 1)) for size, kept in zip(image.size, (width, height), strict=True)
    )
    return image.crop((left, top, left + width, top + height)).resize(image.size)


CHANGES: dict[str, Change] = {
    "mirrored": lambda image, rng: ImageOps.mirror(image),
    "upside down": lambda image, rng: ImageOps.flip(image),
    "turned": lambda image, rng: image.rotate(90 * int(rng.integers(1, 4)), expand=True),
    "rotated": lambda image, rng: image.rotate(
        rng.uniform(3, 12) * rng.choice([-1, 1]), Image.Resampling.BICUBIC
    ),
    "cropped": _cropped,
    "brightened": lambda image, rng: ImageEnhance.Brightness(image).enhance(rng.uniform(0.75, 1.3)),
    "saved again": lambda image, rng: image,
}


def planted(folder: Path, place: Path, share: float, seed: int) -> dict[str, int]:
    """Write ``place/train`` and ``place/valid``; how many photographs of valid there are, and are copies."""
    rng = np.random.default_rng(seed)
    index = index_photos(folder).usable()
    leaves = folder / "leaf_groups.csv"
    known = read_leaf_map(leaves) if leaves.exists() else None
    options = SplitOptions(ratios={"train": 0.8, "valid": 0.2}, seed=seed, group_by=RULES.group_by)
    index = split_photos(index, options, leaf_map=known)
    files, classes, splits = index.files(), index.column("class_name"), index.column("split")
    train = np.array([row for row, split in enumerate(splits) if split == "train"])
    valid = rng.permutation([row for row, split in enumerate(splits) if split == "valid"])
    copies = round(share * len(valid))
    for row in train:
        _placed(files[row], place / "train" / classes[row])
    for row in valid[copies:]:
        _placed(files[row], place / "valid" / classes[row])
    originals = rng.choice(train, copies, replace=False)
    for number, row in enumerate(originals):
        change = CHANGES[list(CHANGES)[number % len(CHANGES)]]
        target = place / "valid" / classes[row] / f"planted-{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(files[row]) as image:
            change(image.convert("RGB"), rng).save(target, quality=int(rng.integers(60, 95)))
    return {"valid": len(valid), "copies": copies}


def _placed(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder / file.name)


def reported(place: Path) -> dict[str, int]:
    """What the check says: photographs of valid that are copies, how many of the planted are among them."""
    sketches = Sketches(place / "index.sketches")
    index = index_photos(place / "photos", sketches=sketches)
    health = check_collection(Looked(index, sketches), options=CheckOptions(shortcuts=False))
    names = health.names()
    leaks = [finding for finding in health.findings if finding.kind == "leak"]
    rows = {case.rows[0] for finding in leaks for case in finding.cases}
    found = sum("planted-" in names[row] for row in rows)
    return {"reported": len(rows), "planted_found": found, "others": len(rows) - found}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--shares", nargs="+", type=float, default=[0.0, 0.05, 0.615])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    rows = []
    for folder in options.folders:
        for share in options.shares:
            for seed in options.seeds:
                with tempfile.TemporaryDirectory() as name:
                    place = Path(name)
                    made = planted(folder, place / "photos", share, seed)
                    said = reported(place)
                row = {"collection": folder.name, "seed": seed, **made, **said}
                row["planted_percent"] = round(100 * made["copies"] / made["valid"], 2)
                row["reported_percent"] = round(100 * said["reported"] / made["valid"], 2)
                rows.append(row)
                if not options.as_json:
                    print(
                        f"{folder.name:<20} seed {seed}  valid {made['valid']:>5}"
                        f"  planted {row['planted_percent']:>6} %  reported {row['reported_percent']:>6} %"
                        f"  (planted found {said['planted_found']}, others {said['others']})",
                        flush=True,
                    )
    if options.as_json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
