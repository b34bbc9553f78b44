"""The photographs that all contenders work on: copied, indexed, packed, listed.

Enters: a folder of class folders with JPEG files, or nothing. Leaves: a setting. What this takes is measured
elsewhere (``pipeline_stages.ONCE``).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from benchmarks.pipeline_stages import recipe_for
from benchmarks.pipeline_work import Setting

from leafsight.dataset import PixelCache, SynthOptions, index_photos, write_synthetic_collection
from leafsight.training.preparation import INDEX_FILE, cache_contract

REAL = Path(__file__).resolve().parents[1] / "data" / "plantvillage"
DRAWN_SIDE_PX = 160
DRAWN_VIEWS = 3


def prepared(
    data: Path | None, photos: int | None, scratch: Path, *, side_px: int, batch: int, threads: int = 0
) -> Setting:
    """Everything that a contender needs, in ``scratch``. One photograph more than asked for: see ``Setting``.

    Args:
        data: class folders; None for ``data/plantvillage`` or, where there is none, drawn leaves.
        photos: of an epoch, spread evenly over the folder; None for all.
        scratch: an empty folder.
        side_px: of the pictures that the network takes.
        batch: photographs of a batch.
        threads: see ``Setting``.

    Raises:
        FileNotFoundError: no JPEG files there.
    """
    folder = scratch / "photographs"
    copied(jpeg_files(data or found_or_drawn(scratch, photos)), photos, folder)
    index = index_photos(folder)
    index.save(scratch / INDEX_FILE)
    packed = PixelCache.build(index, scratch, cache_contract(recipe_for(side_px, batch, seed=0)))
    kept = index.rows(packed.row_ids)
    classes = tuple(index.classes)
    rows = zip(map(str, kept.files()), map(int, kept.labels_for(classes)), strict=True)
    listing = scratch / "listing.json"
    listing.write_text(json.dumps(list(rows)))
    place = str(scratch)
    return Setting(str(listing), str(folder), place, place, side_px, batch, len(classes), threads)


def found_or_drawn(scratch: Path, photos: int | None) -> Path:
    """``data/plantvillage``, or as many drawn leaves as are asked for."""
    if REAL.is_dir():
        return REAL
    options = SynthOptions(side_px=DRAWN_SIDE_PX, views_per_leaf=DRAWN_VIEWS)
    # A leaf has one to three views: with one each there are enough.
    leaves = -(-((photos or 2048) + 1) // len(options.class_names()))
    return write_synthetic_collection(
        scratch / "drawn", options.model_copy(update={"leaves_per_class": leaves})
    ).folder


def jpeg_files(folder: Path) -> list[Path]:
    """Below a folder, in order.

    Raises:
        FileNotFoundError: none.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if not paths:
        raise FileNotFoundError(f"{folder} holds no JPEG photographs")
    return paths


def copied(paths: list[Path], photos: int | None, folder: Path) -> None:
    """Class folders of some of the files. Copying them also brings them into the page cache."""
    wanted = min(len(paths), photos + 1 if photos else len(paths))
    for place in np.linspace(0, len(paths) - 1, wanted).round().astype(int):
        target = folder / paths[place].parent.name / f"{place:06d}-{paths[place].name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(paths[place], target)
