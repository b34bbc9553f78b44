"""Cross-validation: k indexes of one collection, in each of which another part is held out.

Enters: an index. Leaves: k of them. How photographs are grouped and placed is up to ``split``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from leafsight.dataset.codes import encoded, text_column
from leafsight.dataset.coverage import split_record
from leafsight.dataset.group_rules import FoundSets
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.dataset.split import SplitOptions, split_photos
from leafsight.errors import DatasetError, UsageError


def fold_photos(
    index: PhotoIndex,
    k: int,
    options: SplitOptions | None = None,
    *,
    held: str = "test",
    leaf_map: Mapping[tuple[str, str], str] | None = None,
    found: Sequence[FoundSets] = (),
) -> list[PhotoIndex]:
    """``k`` indexes; in each, another part is ``held`` out and the rest is ``train``.

    Every usable photograph is held out exactly once.

    Args:
        index: any index.
        k: at least 2.
        options: seed and grouping; ratios and keep are not used.
        held: name of the part that is held out.
        leaf_map: see ``group_photos``.
        found: see ``group_photos``.

    Raises:
        UsageError: ``k`` is below 2.
        DatasetError: a class has fewer than two groups, so that a fold would train without it.
    """
    if k < 2:
        raise UsageError(f"{k} folds are not a cross-validation", hint="use 2 or more")
    options = options or SplitOptions()
    equal = options.model_copy(update={"ratios": {f"fold{n}": 1 / k for n in range(k)}, "keep": ()})
    folded = split_photos(index, equal, leaf_map=leaf_map, found=found)
    classes, names = encoded(folded.table.column("class_name")).sorted()
    parts = encoded(folded.table.column("split"))
    inside = np.zeros((len(names), len(parts.values) + 1), bool)
    inside[classes, parts.codes] = True
    places = inside[:, :-1].sum(axis=1)  # the last is for photographs without a fold
    if alone := [name for name, count in zip(names, places, strict=True) if count == 1]:
        raise DatasetError(
            f"all photographs of {', '.join(alone)} belong together and cannot be in train and {held} both",
            hint="add photographs of other leaves, or leave these classes out",
        )
    return [_fold(folded, number, k, held) for number in range(k)]


def _fold(folded: PhotoIndex, number: int, k: int, held: str) -> PhotoIndex:
    """The index in which part ``number`` is held out, with its own record."""
    parts = encoded(folded.table.column("split"))
    sides = [1 if name == f"fold{number}" else 0 for name in parts.names()]
    sided = np.array([*sides, -1], np.int64)[parts.codes]
    fold = folded.with_column("split", text_column(sided, ("train", held)))
    told = folded.split_record
    record = split_record(
        fold,
        ratios={"train": 1 - 1 / k, held: 1 / k},
        seed=told["seed"],
        group_by=told["group_by"],
        name_pattern=told.get("name_pattern"),
        fold={"number": number, "of": k, "held": held},
    )
    return fold.with_split_record({**record, "rules": told["rules"]})
