"""Is a planted leak reported with its true size? Like that of the "New Plant Diseases" collection.

    python benchmarks/leak.py FOLDER [FOLDER ...] [--shares 0 0.05 0.615] [--seeds 0 1 2] [--json]
    python benchmarks/leak.py FOLDER [FOLDER ...] --clean [--most 4000] [--seeds 0 1 2] [--json]

For every folder of class folders, seed and share: photographs are divided into train and valid by what is
known of them to belong together (leaf map, equal pixels, runs of the camera's counter), then valid
photographs are replaced, as many as the share says, by copies of photographs of train, each mirrored, upside
down, turned by a quarter, slightly rotated, cropped, brightened or only saved again, at random. Nothing else
is in valid twice. ``leafsight check`` is asked; the share that it reports is compared with the planted one.
With a share of 0 what remains is what the photographs themselves share, bursts included.

``--clean`` plants nothing and asks the check about train and valid that are clean by where they come from; no
finder of ours divides them. Two ways: every two of the folders (collections of different people), one as
train and one as valid; and the classes of each folder, divided at random in two halves (no leaf is in two
classes, but camera, light and background are the same). At most ``--most`` photographs a side, drawn by the
seed, which also draws the halves and which side is train. Every photograph of valid that is reported is
printed with the one of train that it is said to be a copy of: whether it is one, a person has to see. With
``--json`` the same stands under ``pairs``, also of leaks that nobody planted.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import itertools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

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
Photo: TypeAlias = tuple[str, Path]
"""The class of a photograph and its file."""
Pair: TypeAlias = tuple[str, str, list[Photo], list[Photo]]
"""What was divided and how, train, valid."""
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
    target = folder / file.name
    if target.exists():  # CIFAR-10 names the photographs of train and of test alike
        target = folder / f"{file.parent.parent.name}-{file.name}"
    shutil.copy(file, target)


def photos_of(folder: Path) -> list[Photo]:
    """Every photograph of a collection that can be used."""
    index = index_photos(folder).usable()
    return list(zip(index.column("class_name"), index.files(), strict=True))


def clean_pairs(photos: Mapping[str, Sequence[Photo]], most: int, seed: int) -> Iterator[Pair]:
    """Train and valid that cannot share a leaf: of every two collections, then of the classes of each."""
    rng = np.random.default_rng(seed)
    for names in itertools.combinations(photos, 2):
        train, valid = rng.permutation(names)
        yield "two collections", f"{train} | {valid}", *(_drawn(photos[n], most, rng) for n in (train, valid))
    for name, mine in photos.items():
        classes = rng.permutation(sorted({class_name for class_name, _ in mine}))
        halves = classes[: len(classes) // 2], classes[len(classes) // 2 :]
        sides = ([photo for photo in mine if photo[0] in half] for half in halves)
        yield "two halves of the classes", name, *(_drawn(side, most, rng) for side in sides)


def _drawn(photos: Sequence[Photo], most: int, rng: np.random.Generator) -> list[Photo]:
    return [photos[at] for at in sorted(rng.permutation(len(photos))[:most])]


def measured_clean(pair: Pair, seed: int) -> dict[str, Any]:
    """What the check says of one clean pair."""
    how, name, train, valid = pair
    with tempfile.TemporaryDirectory() as folder:
        for side, photos in (("train", train), ("valid", valid)):
            for class_name, file in photos:
                _placed(file, Path(folder) / "photos" / side / class_name)
        said = reported(Path(folder))
    row = {"clean": how, "collection": name, "seed": seed, "train": len(train), "valid": len(valid)}
    percent = round(100 * said["reported"] / len(valid), 2)
    return {**row, "reported": said["reported"], "reported_percent": percent, "pairs": said["pairs"]}


def reported(place: Path) -> dict[str, Any]:
    """What the check says: photographs of valid that are copies, how many of the planted are among them."""
    sketches = Sketches(place / "index.sketches")
    index = index_photos(place / "photos", sketches=sketches)
    health = check_collection(Looked(index, sketches), options=CheckOptions(shortcuts=False))
    names = health.names()
    cases = [case for finding in health.findings if finding.kind == "leak" for case in finding.cases]
    rows = {case.rows[0] for case in cases}
    others = {row for row in rows if "planted-" not in names[row]}
    pairs = [
        {"valid": names[case.rows[0]], "train": names[case.rows[1]], "kind": case.kind, "score": case.score}
        for case in cases
        if case.rows[0] in others
    ]
    counts = {"reported": len(rows), "planted_found": len(rows) - len(others), "others": len(others)}
    return {**counts, "pairs": pairs}


def measured_planted(folder: Path, share: float, seed: int) -> dict[str, Any]:
    """What the check says of one planted leak."""
    with tempfile.TemporaryDirectory() as name:
        made = planted(folder, Path(name) / "photos", share, seed)
        said = reported(Path(name))
    row = {"collection": folder.name, "seed": seed, **made, **said}
    row["planted_percent"] = round(100 * made["copies"] / made["valid"], 2)
    row["reported_percent"] = round(100 * said["reported"] / made["valid"], 2)
    return row


def _said_planted(row: dict[str, Any]) -> None:
    print(
        f"{row['collection']:<20} seed {row['seed']}  valid {row['valid']:>5}"
        f"  planted {row['planted_percent']:>6} %  reported {row['reported_percent']:>6} %"
        f"  (planted found {row['planted_found']}, others {row['others']})",
        flush=True,
    )


def _said_clean(row: dict[str, Any]) -> None:
    print(
        f"{row['collection']:<36} seed {row['seed']}  train {row['train']:>5}  valid {row['valid']:>5}"
        f"  reported {row['reported_percent']:>6} % ({row['reported']})",
        flush=True,
    )
    for pair in row["pairs"]:
        print(f"    {pair['valid']}  {pair['kind']} {pair['score']:.3f}  {pair['train']}", flush=True)


def _said_in_all(rows: Sequence[dict[str, Any]]) -> None:
    for how in dict.fromkeys(row["clean"] for row in rows):
        mine = [row for row in rows if row["clean"] == how]
        photos, found = (sum(row[key] for row in mine) for key in ("valid", "reported"))
        most = max(row["reported_percent"] for row in mine)
        silent = sum(row["reported"] == 0 for row in mine)
        print(
            f"{how}: {len(mine)} pairs, {silent} with nothing reported, {found} of {photos} photographs"
            f" of valid reported ({100 * found / photos:.3f} %), at most {most} %"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--shares", nargs="+", type=float, default=[0.0, 0.05, 0.615])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--most", type=int, default=4_000)
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    rows = []
    for row in _measured(options):
        rows.append(row)
        if not options.as_json:
            (_said_clean if options.clean else _said_planted)(row)
    if options.as_json:
        print(json.dumps(rows, indent=2))
    elif options.clean:
        _said_in_all(rows)


def _measured(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if options.clean:
        photos = {folder.name: photos_of(folder) for folder in options.folders}
        for seed in options.seeds:
            for pair in clean_pairs(photos, options.most, seed):
                yield measured_clean(pair, seed)
        return
    for folder in options.folders:
        for share in options.shares:
            for seed in options.seeds:
                yield measured_planted(folder, share, seed)


if __name__ == "__main__":
    main()
