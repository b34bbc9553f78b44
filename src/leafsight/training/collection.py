"""Which photographs a recipe trains on, under which names, and what belongs together.

Enters: the recipe's table ``data`` and an index. Leaves: the index as the recipe wants it, before the split.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from leafsight.dataset import FoundSets, PhotoIndex, Sketches, SplitOptions, index_photos
from leafsight.errors import DatasetError, nearest, validated
from leafsight.images import DecodeLimits
from leafsight.inspection import Looked
from leafsight.progress import Progress
from leafsight.taxonomy import find_class
from leafsight.training.known_copies import copies_in
from leafsight.training.options import DataOptions

AUTOMATIC_RULES = "column,leaf_map,duplicates,near_duplicates,capture_runs"
COPIES = "copies"
SKETCH_FILE = "index.sketches"


def split_options(options: DataOptions) -> SplitOptions:
    """The recipe's table ``[data]`` in the words of room ``dataset``.

    Raises:
        ConfigError: a rule that nobody knows, or a pattern that is none.
    """
    rules = AUTOMATIC_RULES if options.group_by == "auto" else options.group_by
    values = {
        "group_by": tuple(rule.strip() for rule in rules.split(",")),
        "ratios": dict(options.ratios),
        "seed": options.seed,
        "keep": options.keep,
        "name_pattern": options.name_pattern,
    }
    return validated(SplitOptions, values, "the recipe's [data]")


def read_photographs(
    options: DataOptions,
    sources: Sequence[Path],
    folder: Path,
    earlier: PhotoIndex | None,
    *,
    limits: DecodeLimits | None,
    progress: Progress,
) -> tuple[PhotoIndex, list[FoundSets]]:
    """The index of the sources, as the recipe names its classes, and the copies where its rules ask for them.

    Raises:
        DatasetError: nothing usable, or a class that the recipe names is not there.
    """
    wanted = COPIES in split_options(options).group_by
    sketches = Sketches(folder / SKETCH_FILE) if wanted else None
    index = index_photos(
        list(sources),
        earlier=earlier,
        store=folder / "store",
        limits=limits,
        progress=progress,
        sketches=sketches,
    )
    index = labelled(index, options)
    if sketches is None:
        return index, []
    return index, [FoundSets(COPIES, copies_in(Looked(index, sketches), folder, progress))]


def labelled(index: PhotoIndex, options: DataOptions) -> PhotoIndex:
    """The index with the classes that the recipe wants.

    Raises:
        DatasetError: a class that the recipe names is not there, or no photograph has a crop.
    """
    if options.label_by == "crop":
        index = by_crop(index)
    if not options.classes:
        return index
    missing = [name for name in options.classes if name not in index.classes]
    if missing:
        close = nearest(missing[0], index.classes)
        raise DatasetError(
            f"no photograph is of class '{missing[0]}', which data.classes names",
            hint=f"did you mean '{close}'?" if close else f"there are: {', '.join(index.classes[:20])}",
        )
    return index.rows(_rows_of(index, set(options.classes)))


def by_crop(index: PhotoIndex) -> PhotoIndex:
    """Every photograph under the key of its plant (``apple``, ``black_gram``), without those of no plant.

    Raises:
        DatasetError: no class names a plant.
    """
    found = {name: find_class(name).crop for name in index.classes}
    crops = {name: crop.key for name, crop in found.items() if crop is not None}
    named = index.rows(_rows_of(index, set(crops)))
    if not len(named):
        raise DatasetError(
            'no class names its plant, which data.label_by = "crop" needs',
            hint="name classes Crop___Condition, such as Apple___Black_rot",
        )
    return named.with_class_names(lambda name: crops[name])


def _rows_of(index: PhotoIndex, names: set[str]) -> np.ndarray:
    return np.flatnonzero([name in names for name in index.column("class_name")]).astype(np.int64)
