"""What a split looks like: counts per class and part, how far groups are known, and leaks.

Enters: an index with splits. Leaves: numbers, and the same as lines of text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from leafsight.dataset.photo_index import PhotoIndex

# Below this a class has no meaningful figure of its own in a split: one mistake moves it by 20 points.
FEW_PHOTOGRAPHS = 5
NAMES_SHOWN = 4


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
    """

    class_name: str
    photographs: int
    splits: dict[str, int]
    groups: dict[str, int]
    covered: float
    largest_group: int


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
        missing: (class, split) pairs without a photograph.
        few: (class, split) pairs with fewer than five photographs.
        leaks: duplicates and groups that are in two splits; empty for every split made here without ``keep``.
        unsplit: usable photographs without a split.
        notes: sentences from indexing and grouping.
    """

    splits: dict[str, int]
    classes: tuple[ClassSummary, ...]
    covered: float
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
        names = list(self.splits)
        width = max((len(entry.class_name) for entry in self.classes), default=5)
        head = f"{'class':<{width}} " + " ".join(f"{name:>12}" for name in names) + "   groups known"
        table = [
            f"{entry.class_name:<{width}} "
            + " ".join(f"{entry.splits.get(name, 0):>12}" for name in names)
            + f"   {entry.covered:>11.0%}"
            for entry in self.classes
        ]
        total = f"{'all':<{width}} " + " ".join(f"{count:>12}" for count in self.splits.values())
        return [head, *table, f"{total}   {self.covered:>11.0%}", *self._sentences()]

    def _sentences(self) -> list[str]:
        said = list(self.notes)
        said += [f"{name} has no photograph in {split}" for name, split in self.missing]
        for split in self.splits:
            few = [name for name, where in self.few if where == split]
            if few:
                said.append(f"fewer than {FEW_PHOTOGRAPHS} photographs in {split}: {listed(few)}")
        said += [
            f"leak: the same {leak.kind} in {' and '.join(leak.splits)}: {leak.photographs[0]}"
            for leak in self.leaks
        ]
        if self.unsplit:
            said.append(f"{self.unsplit} usable photographs are in no split")
        return said


def listed(names: Sequence[str]) -> str:
    """Some names and how many more there are."""
    shown = ", ".join(names[:NAMES_SHOWN])
    return shown if len(names) <= NAMES_SHOWN else f"{shown} and {len(names) - NAMES_SHOWN} more"


def split_summary(index: PhotoIndex) -> SplitSummary:
    """Count a split and look for leaks in it, whoever made it."""
    usable = index.usable()
    splits = usable.split_counts()
    classes = tuple(_class_summaries(usable))
    counts = {entry.class_name: entry.splits for entry in classes}
    pairs = [(name, split, counts[name].get(split, 0)) for name in counts for split in splits]
    covered = sum(entry.covered * entry.photographs for entry in classes) / max(1, len(usable))
    return SplitSummary(
        splits=splits,
        classes=classes,
        covered=covered,
        missing=tuple((name, split) for name, split, count in pairs if count == 0),
        few=tuple((name, split) for name, split, count in pairs if 0 < count < FEW_PHOTOGRAPHS),
        leaks=find_leaks(usable),
        unsplit=len(usable) - sum(splits.values()),
        notes=index.notes,
    )


def find_leaks(usable: PhotoIndex) -> tuple[Leak, ...]:
    """Files, pictures and groups that stand in more than one split, each photograph named once a kind."""
    splits = usable.column("split")
    names = [f"{s}/{p}" for s, p in zip(usable.column("source"), usable.column("path"), strict=True)]
    leaks: list[Leak] = []
    told: set[tuple[str, ...]] = set()
    for kind, column in (("file", "content_hash"), ("pixels", "pixel_hash"), ("group", "group")):
        for members in shared(usable.column(column)):
            where = tuple(sorted({splits[member] for member in members if splits[member] is not None}))
            photographs = tuple(names[member] for member in members)
            if len(where) > 1 and photographs not in told:
                told.add(photographs)
                leaks.append(Leak(kind, where, photographs))
    return tuple(leaks)


def shared(keys: Sequence[Hashable | None]) -> list[list[int]]:
    """Positions that have the same key, for every key that at least two have."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for position, key in enumerate(keys):
        if key is not None:
            members[key].append(position)
    return [positions for positions in members.values() if len(positions) > 1]


def _class_summaries(usable: PhotoIndex) -> list[ClassSummary]:
    names, splits, groups, hashes = (
        usable.column(name) for name in ("class_name", "split", "group", "content_hash")
    )
    by_class: dict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(names):
        by_class[name].append(position)
    summaries = []
    for name, positions in sorted(by_class.items()):
        own = [groups[position] or hashes[position] for position in positions]
        per_split = {(splits[position], group) for position, group in zip(positions, own, strict=True)}
        summaries.append(
            ClassSummary(
                class_name=name,
                photographs=len(positions),
                splits=_counted(splits[position] for position in positions),
                groups=_counted(split for split, _ in per_split),
                covered=sum(groups[position] is not None for position in positions) / len(positions),
                largest_group=max(Counter(own).values()),
            )
        )
    return summaries


def _counted(splits: Any) -> dict[str, int]:
    return dict(sorted(Counter(split for split in splits if split is not None).items()))
