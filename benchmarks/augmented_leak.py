"""What is a leak like that of "New Plant Diseases" worth, in points of accuracy?

    python -m benchmarks.augmented_leak data/plantvillage --pretrained WEIGHTS --work FOLDER [--seeds 0 1 2]

That collection is PlantVillage with changed copies of its pictures added, divided at random afterwards: of
61.5 % of the pictures of valid a copy lies in train. It is not here, so a stand-in is made the same way:

1. A fifth of the leaves is put aside (leaf map, camera runs, copies); nobody trains on it: the truth.
2. Of the other photographs 62 of 100 get one changed copy (mirrored, upside down, turned, rotated, cropped,
   brightened), as there; all files are divided 80:20 at random into train and valid: "as published".
3. ``leafsight split --repair`` repairs that, knowing nothing but the pixels. ``leafsight split`` divides the
   same files anew, 80:20 again, with the camera counters that their names carry in that collection.
4. The recipe ``new-plant-diseases`` is trained on all three. Told are: the accuracy on valid, which is
   what is published, and on the leaves put aside, which is what holds. So is how much of valid has a
   relative in train: a copy, or another photograph of the same leaf (as far as leaf map and counters know).

Runs go on where they were; a finished one is not trained again.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.leak import CHANGES
from PIL import Image

from leafsight.dataset import PhotoIndex, SplitOptions, index_photos, read_leaf_map, split_photos
from leafsight.evaluation import Resampling, repeated, resampled_metrics
from leafsight.experiments import judge_run
from leafsight.training import load_run

COPIED = 0.62  # makes 61 % of valid have a copy in train, as Khawajaa measured of the original
# What that collection puts behind the name of a picture that it changed.
SUFFIXES = {
    "mirrored": "_flipLR", "upside-down": "_flipTB", "turned": "_90deg", "rotated": "_new30degFlipLR",
    "cropped": "_newPixel25", "brightened": "_newGRR", "original": "",
}  # fmt: skip
BY_COUNTERS = "duplicates,near_duplicates,copies,capture_runs"
RULES = ("column", "leaf_map", "duplicates", "near_duplicates", "capture_runs")
HOW = Resampling()


def make_stand_in(folder: Path, work: Path, seed: int, most: int) -> dict[str, Any]:
    """Write ``published/{train,valid}/CLASS`` and ``aside/CLASS``; how many copies lie across."""
    if (work / "made.json").exists():
        return dict(json.loads((work / "made.json").read_text()))
    for name in ("published", "aside"):
        shutil.rmtree(work / name, ignore_errors=True)
    rng = np.random.default_rng([seed, 6])
    index = by_leaves(folder)
    files, classes, splits = index.files(), index.column("class_name"), index.column("split")
    taken: dict[str, int] = {}
    sides: dict[int, set[str]] = {}
    for row in rng.permutation(len(index)):
        name, split = classes[row], splits[row]
        if split == "test":
            _write(files[row], work / "aside" / name / f"{row}.jpg")
            continue
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > most:
            continue
        versions = [("original", None)]
        if rng.uniform() < COPIED:
            change = str(rng.choice([one for one in CHANGES if one != "saved again"]))
            versions.append((change.replace(" ", "-"), change))
        for word, change in versions:
            side = "train" if rng.uniform() < 0.8 else "valid"
            sides.setdefault(int(row), set()).add(side)
            _write(files[row], work / "published" / side / name / f"{row}_{word}.jpg", change, rng)
    valid = list((work / "published" / "valid").rglob("*.jpg"))
    across = sum(len(sides[int(path.stem.split("_")[0])]) == 2 for path in valid)
    told = {
        "train": sum(1 for _ in (work / "published" / "train").rglob("*.jpg")),
        "valid": len(valid),
        "valid_with_a_copy_in_train": across / len(valid),
        "aside": sum(1 for _ in (work / "aside").rglob("*.jpg")),
    }
    (work / "made.json").write_text(json.dumps(told))
    return told


def by_leaves(folder: Path) -> PhotoIndex:
    """The photographs, a fifth of the leaves in the split ``test``; always the same rows."""
    index = index_photos(folder).usable()
    leaves = folder / "leaf_groups.csv"
    options = SplitOptions(ratios={"train": 0.8, "test": 0.2}, seed=0, group_by=RULES)
    return split_photos(index, options, leaf_map=read_leaf_map(leaves) if leaves.exists() else None)


def name_as_published(originals: PhotoIndex, work: Path) -> None:
    """The files of ``published`` once more in ``named``, under names as that collection gives them."""
    stems = [Path(path).stem for path in originals.column("path")]
    for file in (work / "published").rglob("*.jpg"):
        row, change = file.stem.split("_")
        target = work / "named" / file.relative_to(work / "published").parent
        target.mkdir(parents=True, exist_ok=True)
        target /= f"{stems[int(row)]}{SUFFIXES[change]}.jpg"
        if not target.exists():
            os.link(file, target)


def _write(
    file: Path, target: Path, change: str | None = None, rng: np.random.Generator | None = None
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if change is None or rng is None:
        shutil.copy(file, target)
        return
    with Image.open(file) as image:
        CHANGES[change](image.convert("RGB"), rng).save(target, quality=90)


def leafsight(*words: object) -> None:
    """One command of the product, in a process of its own."""
    call = [sys.executable, "-c", "from leafsight.cli import main; main()", *map(str, words)]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)


def indexes(work: Path) -> dict[str, Path]:
    """The split as published, as ``leafsight split --repair`` leaves it, and anew with camera counters."""
    published, repaired = work / "published.parquet", work / "repaired.parquet"
    anew = work / "anew.parquet"
    if not published.exists():
        index_photos(work / "published").save(published)
    if not repaired.exists():
        leafsight("split", work / "published", "--repair", "--yes", "--out", repaired, "-q")
    if not anew.exists():
        words = ("--group-by", BY_COUNTERS, "--ratios", "train=0.8,valid=0.2", "--out", anew, "-q")
        leafsight("split", work / "named", *words)
    return {"as published": published, "repaired": repaired, "divided anew": anew}


def still_across(index: PhotoIndex, originals: PhotoIndex, column: str) -> float:
    """Share of valid whose original (``path``) or leaf (``group``) has a file in train."""
    names, values = originals.column("path"), originals.column(column)
    known = {Path(name).stem: value or name for name, value in zip(names, values, strict=True)}
    known |= {str(row): value or name for row, (name, value) in enumerate(zip(names, values, strict=True))}
    sources: dict[str, list[str]] = {}
    for path, split in zip(index.column("path"), index.column("split"), strict=True):
        stem = Path(path).stem
        sources.setdefault(split, []).append(known.get(stem.split("_")[0]) or known[_original(stem)])
    train = set(sources["train"])
    return sum(one in train for one in sources["valid"]) / max(1, len(sources["valid"]))


def _original(stem: str) -> str:
    """The name without what ``name_as_published`` put behind it."""
    return next((stem.removesuffix(one) for one in SUFFIXES.values() if one and stem.endswith(one)), stem)


def measured(work: Path, index: Path, name: str, seed: int, pretrained: Path, settings: Sequence[str]) -> Any:
    """Accuracy of one run on its valid and on the leaves put aside, each resampled over groups."""
    folder = work / "runs" / f"{name.replace(' ', '-')}-{seed}"
    changes = [word for one in (f"seed={seed}", "threads=1", *settings) for word in ("--set", one)]
    leafsight(
        "train", "new-plant-diseases", "--data", index, "--out", folder, "--cache", work / "pixels" / name,
        "--pretrained", pretrained, "--no-export", "-q", *changes,
    )  # fmt: skip
    run = load_run(folder)
    aside = index_photos(work / "aside").usable()
    aside = aside.with_column("split", ["test"] * len(aside))
    exam = work / "pixels" / "exam"
    own = judge_run(run, PhotoIndex.load(folder / "index.parquet"), exam, split="valid")
    truth = judge_run(run, aside, exam, split="test")
    return [resampled_metrics(one.evaluation(), ("accuracy",), HOW)["accuracy"] for one in (own, truth)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pretrained", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--most", type=int, default=10**6, help="photographs of a class")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    made = make_stand_in(options.folder, options.work, 0, options.most)
    originals = by_leaves(options.folder)
    name_as_published(originals, options.work)
    result: dict[str, Any] = {"stand_in": made, "seeds": options.seeds, "splits": {}}
    for name, index in indexes(options.work).items():
        runs = [
            measured(options.work, index, name, seed, options.pretrained, options.settings)
            for seed in options.seeds
        ]
        found = [repeated([run[side] for run in runs], HOW).to_dict() for side in (0, 1)]
        told = PhotoIndex.load(index)
        result["splits"][name] = {
            "counts": told.split_counts(),
            "valid_with_a_copy_in_train": still_across(told, originals, "path"),
            "valid_with_a_leaf_in_train": still_across(told, originals, "group"),
            "valid": found[0],
            "leaves_put_aside": found[1],
        }
    if options.json:
        print(json.dumps(result, indent=2))
        return
    seeds = ", ".join(map(str, options.seeds))
    files = made["train"] + made["valid"]
    print(f"Stand-in of {files:,} files; {made['aside']:,} photographs of other leaves; seeds {seeds}.\n")
    head = (
        "split",
        "train / valid",
        "valid with a copy in train",
        "with the same leaf in train",
        "accuracy on valid",
        "on leaves put aside",
        "valid says too much by",
    )
    print(f"| {' | '.join(head)} |")
    print("|---|---|---|---|---|---|---|")
    for name, one in result["splits"].items():
        counts = f"{one['counts']['train']:,} / {one['counts']['valid']:,}"
        cells = [_cell(one["valid"]), _cell(one["leaves_put_aside"])]
        related = [one[f"valid_with_a_{what}_in_train"] for what in ("copy", "leaf")]
        shares = " | ".join(f"{100 * share:.1f} %" for share in related)
        more = 100 * (one["valid"]["mean"]["value"] - one["leaves_put_aside"]["mean"]["value"])
        told = f"{more:+.1f}".replace("-", "−")
        print(f"| {name} | {counts} | {shares} | {' | '.join(cells)} | {told} points |")


def _cell(one: dict[str, Any]) -> str:
    mean = one["mean"]
    spread = "" if one["spread"] is None else f" ± {100 * one['spread']:.1f}"
    return f"{100 * mean['value']:.1f}{spread} [{100 * mean['low']:.1f}, {100 * mean['high']:.1f}]"


if __name__ == "__main__":
    main()
