"""How far a split can be trusted: where each photograph's group comes from, and what was asked and reached.

Enters: an index with groups and splits. Leaves: plain values that are kept in the index file, and a sentence
that a report can quote. It does not know how groups are found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from leafsight import __version__
from leafsight.dataset.codes import encoded
from leafsight.dataset.groups import FOUND, GIVEN, GroupReport
from leafsight.dataset.photo_index import PhotoIndex


@dataclass(frozen=True, slots=True)
class Coverage:
    """Photographs by where their group comes from.

    Attributes:
        given: a group column or a leaf map speaks of them: a real group.
        found: only leafsight says that they belong to others: duplicates, look-alikes, runs of the camera.
        none: nothing is known of their relatives; they are split as if they had none.
    """

    given: int
    found: int
    none: int

    @property
    def photographs(self) -> int:
        """All of them."""
        return self.given + self.found + self.none


def class_coverage(index: PhotoIndex) -> dict[str, Coverage]:
    """Coverage of the usable photographs of every class, by name.

    A group of an index that was saved before ``group_from`` existed counts as found.
    """
    rows = index.row_ids()
    classes, names = encoded(index.table.column("class_name"), rows).sorted()
    basis = encoded(index.table.column("group_from"), rows)
    place = {GIVEN: 0, FOUND: 1}
    kinds = np.array([*(place.get(name, 1) for name in basis.names()), 2])[basis.codes]
    grouped = index.table.column("group").take(rows).is_valid().to_numpy()
    kinds = np.where(grouped, np.minimum(kinds, 1), 2)
    counts = np.bincount(classes * 3 + kinds, minlength=3 * len(names)).reshape(-1, 3)
    return {name: Coverage(*row) for name, row in zip(names, counts.tolist(), strict=True)}


def summed(classes: Mapping[str, Coverage]) -> Coverage:
    """Coverage of all classes together."""
    every = classes.values()
    return Coverage(
        sum(one.given for one in every), sum(one.found for one in every), sum(one.none for one in every)
    )


def split_record(
    index: PhotoIndex,
    *,
    ratios: Mapping[str, float],
    seed: int,
    group_by: Sequence[str],
    name_pattern: str | None = None,
    reports: Sequence[GroupReport] = (),
    **more: Any,
) -> dict[str, Any]:
    """What is kept with a split: options, shares asked for and reached, coverage by class, the rules' counts.

    Args:
        index: with splits.
        ratios: the shares that were asked for; empty for a split that somebody else made.
        seed: of the split.
        group_by: the rules.
        name_pattern: by which file names were grouped; told only where there is one.
        reports: what the rules did.
        more: further plain values.
    """
    classes = class_coverage(index)
    counts = index.split_counts()
    whole = max(1, sum(counts.values()))
    return {
        "leafsight": __version__,
        "seed": seed,
        "group_by": list(group_by),
        **({} if name_pattern is None else {"name_pattern": name_pattern}),
        "ratios": {name: round(share, 6) for name, share in ratios.items()},
        "reached": {name: round(count / whole, 6) for name, count in counts.items()},
        "photographs": counts,
        "largest_group": _largest_group(index),
        "coverage": asdict(summed(classes)),
        "classes": {name: asdict(one) for name, one in classes.items()},
        "rules": [asdict(report) for report in reports],
        **more,
    }


def _largest_group(index: PhotoIndex) -> int:
    groups = encoded(index.table.column("group"), index.row_ids()).codes
    return int(np.bincount(groups[groups >= 0], minlength=1).max()) or 1


def coverage_sentence(record: Mapping[str, Any]) -> str:
    """One sentence on how far the split can be trusted; empty when the record does not say."""
    try:
        return _sentence(record, Coverage(**record["coverage"]))
    except (KeyError, TypeError, ValueError):
        return ""  # an index from elsewhere may hold any record


def _sentence(record: Mapping[str, Any], told: Coverage) -> str:
    whole = max(1, told.photographs)
    parts = [
        f"{told.given:,} ({told.given / whole:.0%}) are kept together by a group column or leaf map",
        f"{told.found:,} ({told.found / whole:.0%}) by groups that leafsight found",
        f"of {told.none:,} ({told.none / whole:.0%}) no relatives are known"
        if told.none
        else "relatives are known of all",
    ]
    end = ", so the same leaf may be on both sides there" if told.none else ""
    return (
        f"Split ({_made_by(record)}) of {told.photographs:,} photographs: "
        + ", ".join(parts[:2])
        + f", and {parts[2]}{end}."
    )


def _made_by(record: Mapping[str, Any]) -> str:
    fold, repair = record.get("fold"), record.get("repair")
    if isinstance(repair, Mapping):
        return f"repaired, {repair['moved']} moved and {repair['left_out']} left out"
    which = f"fold {fold['number'] + 1} of {fold['of']}, " if isinstance(fold, Mapping) else ""
    return f"{which}seed {record.get('seed', 0)}"
