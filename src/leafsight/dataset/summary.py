"""What a split looks like: counts per class and part, how far groups are known, and leaks.

Enters: an index with splits. Leaves: numbers, and the same as lines of text, few enough to read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from leafsight.dataset.codes import combined, encoded, runs_of
from leafsight.dataset.coverage import Coverage, class_coverage, summed
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.dataset.photo_table import arrow
from leafsight.dataset.split_groups import groups_of

# Below this a class has no meaningful figure of its own in a split: one mistake moves it by 20 points.
FEW_PHOTOGRAPHS = 5
NAMES_SHOWN = 4
# More classes than this are not all printed, and as many leaks are.
MOST_CLASSES = 60
CLASSES_SHOWN = 30
LEAKS_SHOWN = 10
WIDEST_NAME = 40


@dataclass(frozen=True, slots=True)
class ClassSummary:
    """One class.

    Attributes:
        class_name: its name.
        photographs: usable ones.
        splits: photographs per split.
        groups: groups per split; a photograph that no rule speaks of counts as one.
        covered: share of photographs, 0 to 1, whose relatives are known. Where it is 0, the split is by
            photograph and may leak.
        largest_group: photographs in its largest group.
        coverage: its photographs by where their group comes from.
    """

    class_name: str
    photographs: int
    splits: dict[str, int]
    groups: dict[str, int]
    covered: float
    largest_group: int
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Leak:
    """The same thing in two splits: ``kind`` is ``file``, ``pixels`` or ``group``."""

    kind: str
    splits: tuple[str, ...]
    photographs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SplitSummary:
    """A split in numbers.

    Attributes:
        splits: photographs per split.
        classes: one entry a class, by name.
        covered: share of all usable photographs whose relatives are known.
        coverage: all usable photographs by where their group comes from.
        missing: (class, split) pairs without a photograph.
        few: (class, split) pairs with fewer than five photographs.
        leaks: duplicates and groups that are in two splits; empty for every split made here without ``keep``.
        unsplit: usable photographs without a split.
        notes: sentences from indexing and grouping.
    """

    splits: dict[str, int]
    classes: tuple[ClassSummary, ...]
    covered: float
    coverage: Coverage
    missing: tuple[tuple[str, str], ...]
    few: tuple[tuple[str, str], ...]
    leaks: tuple[Leak, ...]
    unsplit: int
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """A table and sentences for people, one line each."""
        shown = self._shown()
        width = max([5, *(min(len(entry.class_name), WIDEST_NAME) for entry in shown)])
        counts = {entry.class_name: entry.splits for entry in shown}
        table = [self._row("class", width, list(self.splits), ("given", "found", "none"))]
        for entry in shown:
            mine = [counts[entry.class_name].get(name, 0) for name in self.splits]
            table.append(self._row(entry.class_name, width, mine, _parts(entry.coverage)))
        if len(shown) < len(self.classes):
            table.append(f"... and {len(self.classes) - len(shown)} more classes; --json has them all")
        table.append(self._row("all", width, list(self.splits.values()), _parts(self.coverage)))
        told = "groups known: given by a column or leaf map, found by leafsight, none of either (photographs)"
        return [*table, told, *self._sentences()]

    def _shown(self) -> Sequence[ClassSummary]:
        """All classes, or those with the fewest photographs in a split when there are too many to read."""
        if len(self.classes) <= MOST_CLASSES:
            return self.classes

        def fewest(entry: ClassSummary) -> tuple[int, str]:
            return min((entry.splits.get(name, 0) for name in self.splits), default=0), entry.class_name

        return sorted(self.classes, key=fewest)[:CLASSES_SHOWN]

    def _row(self, name: str, width: int, counts: Sequence[object], known: Sequence[object]) -> str:
        name = name if len(name) <= width else name[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"
        cells = " ".join(f"{count:>12}" for count in counts)
        return f"{name:<{width}} {cells}  " + " ".join(f"{count:>8}" for count in known)

    def _sentences(self) -> list[str]:
        said = list(self.notes)
        missing = {split: [name for name, where in self.missing if where == split] for split in self.splits}
        said += [
            f"{listed(names)} {'has' if len(names) == 1 else 'have'} no photograph in {split}"
            for split, names in missing.items()
            if names
        ]
        for split in self.splits:
            few = [name for name, where in self.few if where == split]
            if few:
                said.append(f"fewer than {FEW_PHOTOGRAPHS} photographs in {split}: {listed(few)}")
        said += [
            f"leak: the same {leak.kind} in {' and '.join(leak.splits)}: {leak.photographs[0]}"
            for leak in self.leaks[:LEAKS_SHOWN]
        ]
        if len(self.leaks) > LEAKS_SHOWN:
            said.append(
                f"and {len(self.leaks) - LEAKS_SHOWN} more leaks; leafsight split --repair mends them"
            )
        if self.unsplit:
            said.append(f"{self.unsplit} usable photographs are in no split")
        return said


def _parts(coverage: Coverage) -> tuple[int, int, int]:
    return coverage.given, coverage.found, coverage.none


def listed(names: Sequence[str]) -> str:
    """Some names and how many more there are."""
    shown = ", ".join(names[:NAMES_SHOWN])
    return shown if len(names) <= NAMES_SHOWN else f"{shown} and {len(names) - NAMES_SHOWN} more"


def split_summary(index: PhotoIndex) -> SplitSummary:
    """Count a split and look for leaks in it, whoever made it."""
    splits = index.split_counts()
    classes = tuple(_class_summaries(index))
    counts = {entry.class_name: entry.splits for entry in classes}
    pairs = [(name, split, counts[name].get(split, 0)) for name in counts for split in splits]
    whole = sum(entry.photographs for entry in classes)
    return SplitSummary(
        splits=splits,
        classes=classes,
        covered=sum(entry.covered * entry.photographs for entry in classes) / max(1, whole),
        coverage=summed({entry.class_name: entry.coverage for entry in classes}),
        missing=tuple((name, split) for name, split, count in pairs if count == 0),
        few=tuple((name, split) for name, split, count in pairs if 0 < count < FEW_PHOTOGRAPHS),
        leaks=find_leaks(index),
        unsplit=whole - sum(splits.values()),
        notes=index.notes,
    )


def find_leaks(index: PhotoIndex) -> tuple[Leak, ...]:
    """Files, pictures and groups that stand in more than one split, each photograph named once a kind."""
    rows = index.row_ids()
    splits, names = encoded(index.table.column("split"), rows).sorted()
    leaks: list[Leak] = []
    told: set[tuple[int, ...]] = set()
    for kind, column in (("file", "content_hash"), ("pixels", "pixel_hash"), ("group", "group")):
        for members in _leaking(encoded(index.table.column(column), rows).codes, splits):
            if (positions := tuple(members.tolist())) not in told:
                told.add(positions)
                where = tuple(names[split] for split in np.unique(splits[members]) if split >= 0)
                leaks.append(Leak(kind, where, _names(index, rows[members])))
    return tuple(leaks)


def _leaking(
    codes: Int64[np.ndarray, " usable"], splits: Int64[np.ndarray, " usable"]
) -> Iterator[Int64[np.ndarray, " members"]]:
    """Positions of each code that is in two splits or more, photographs without a split included."""
    _, of_pair, _ = combined(codes, splits)
    torn = np.unique(of_pair)[np.unique(of_pair, return_counts=True)[1] > 1]
    return runs_of(np.where(np.isin(codes, torn), codes, -1))


def _names(index: PhotoIndex, rows: Int64[np.ndarray, " members"]) -> tuple[str, ...]:
    taken = index.table.select(["source", "path"]).take(arrow().array(rows)).to_pydict()
    return tuple(f"{source}/{path}" for source, path in zip(taken["source"], taken["path"], strict=True))


def shared(keys: Sequence[Hashable | None]) -> list[list[int]]:
    """Positions that have the same key, for every key that at least two have."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for position, key in enumerate(keys):
        if key is not None:
            members[key].append(position)
    return [positions for positions in members.values() if len(positions) > 1]


def _class_summaries(index: PhotoIndex) -> list[ClassSummary]:
    table, rows = index.table, index.row_ids()
    classes, names = encoded(table.column("class_name"), rows).sorted()
    splits, split_names = encoded(table.column("split"), rows).sorted()
    groups = groups_of(index).codes
    in_class, of_class, _ = combined(classes, groups)
    largest = np.zeros(len(names), np.int64)
    np.maximum.at(largest, of_class, np.bincount(in_class, minlength=len(of_class)))
    photographs = _table(classes, splits, len(names), len(split_names))
    _, of_group, of_split = combined(in_class, splits)
    held = _table(of_class[of_group], of_split, len(names), len(split_names))
    coverage = class_coverage(index)
    return [
        ClassSummary(
            class_name=name,
            photographs=coverage[name].photographs,
            splits=_named(split_names, photographs[number]),
            groups=_named(split_names, held[number]),
            covered=(coverage[name].given + coverage[name].found) / coverage[name].photographs,
            largest_group=int(largest[number]),
            coverage=coverage[name],
        )
        for number, name in enumerate(names)
    ]


def _table(
    rows: Int64[np.ndarray, " things"], columns: Int64[np.ndarray, " things"], height: int, width: int
) -> Int64[np.ndarray, "height width"]:
    """How many things there are of each row and column; a column of -1 counts nowhere."""
    known = columns >= 0
    counts = np.bincount(rows[known] * width + columns[known], minlength=height * width)
    return counts.reshape(height, width)


def _named(names: Sequence[str], counts: Int64[np.ndarray, " names"]) -> dict[str, int]:
    return {name: count for name, count in zip(names, counts.tolist(), strict=True) if count}
