"""A first look at a collection: what is broken, doubled, rare or says where it was taken.

Enters: an index. Leaves: a report of counts and names. It looks at no pixels; the index has measured them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from leafsight.dataset.photo_index import PhotoIndex
from leafsight.dataset.summary import Leak, find_leaks, listed, shared

# With fewer, an 80/10/10 split leaves one photograph to judge a class by.
TINY_CLASS = 20


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Photographs that are the same picture."""

    photographs: tuple[str, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What is wrong or remarkable.

    Attributes:
        photographs: rows of the index, faulty ones included.
        usable: rows without a fault.
        class_counts: usable photographs per class.
        faults: fault kind to (photograph, reason) pairs.
        duplicates: the same file or pixels more than once under one label.
        conflicting: the same file or pixels under different labels.
        leaks: the same in two splits.
        tiny_classes: classes with fewer than ``TINY_CLASS`` usable photographs.
        with_gps: usable photographs that carry a position, which may be a person's garden.
        smallest_px: shortest side of any usable photograph.
        notes: sentences from indexing and grouping.
    """

    photographs: int
    usable: int
    class_counts: dict[str, int]
    faults: dict[str, tuple[tuple[str, str], ...]]
    duplicates: tuple[Duplicates, ...]
    conflicting: tuple[Duplicates, ...]
    leaks: tuple[Leak, ...]
    tiny_classes: tuple[str, ...]
    with_gps: int
    smallest_px: int
    notes: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is broken, contradictory, leaking or too small to learn from."""
        single = len(self.class_counts) < 2
        return not (self.faults or self.conflicting or self.leaks or self.tiny_classes or single)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "is_clean": self.is_clean}

    def lines(self) -> list[str]:
        """Sentences for people, the worst first."""
        said = [
            f"{self.usable} of {self.photographs} photographs are usable, in {len(self.class_counts)} classes"
        ]
        for kind, cases in self.faults.items():
            said.append(f"{len(cases)} faulty ({kind}), such as {cases[0][0]}: {cases[0][1]}")
        said += [
            f"one picture under {' and '.join(same.classes)}: {', '.join(same.photographs)}"
            for same in self.conflicting
        ]
        said += [
            f"the same {leak.kind} in {' and '.join(leak.splits)}: {', '.join(leak.photographs)}"
            for leak in self.leaks
        ]
        if self.duplicates:
            extra = sum(len(same.photographs) - 1 for same in self.duplicates)
            said.append(
                f"{extra} photographs repeat another one, such as {', '.join(self.duplicates[0].photographs)}"
            )
        if self.tiny_classes:
            tiny = [f"{name} ({self.class_counts[name]})" for name in self.tiny_classes]
            said.append(f"fewer than {TINY_CLASS} photographs: {listed(tiny)}")
        if len(self.class_counts) == 1:
            said.append("there is only one class; a classifier needs two")
        if self.with_gps:
            said.append(
                f"{self.with_gps} photographs carry a GPS position; remove it before you publish them"
            )
        return said + list(self.notes)


def check_photos(index: PhotoIndex) -> HealthReport:
    """Look through an index."""
    usable = index.usable()
    counts = usable.class_counts()
    doubles = _duplicates(usable)
    sides = [side for name in ("width_px", "height_px") for side in usable.column(name) if side is not None]
    return HealthReport(
        photographs=len(index),
        usable=len(usable),
        class_counts=counts,
        faults=_by_kind(index),
        duplicates=tuple(same for same in doubles if len(same.classes) == 1),
        conflicting=tuple(same for same in doubles if len(same.classes) > 1),
        leaks=find_leaks(usable),
        tiny_classes=tuple(name for name, count in counts.items() if count < TINY_CLASS),
        with_gps=sum(bool(gps) for gps in usable.column("has_gps")),
        smallest_px=min(sides, default=0),
        notes=index.notes,
    )


def _by_kind(index: PhotoIndex) -> dict[str, tuple[tuple[str, str], ...]]:
    kinds: dict[str, list[tuple[str, str]]] = {}
    for name, fault in index.faults():
        kind, _, reason = fault.partition(": ")
        kinds.setdefault(kind, []).append((name, reason))
    return {
        kind: tuple(kinds[kind]) for kind, _ in Counter({k: len(v) for k, v in kinds.items()}).most_common()
    }


def _duplicates(usable: PhotoIndex) -> list[Duplicates]:
    """Equal pixels; equal files have equal pixels, so one column finds both."""
    names = [f"{s}/{p}" for s, p in zip(usable.column("source"), usable.column("path"), strict=True)]
    classes = usable.column("class_name")
    return [
        Duplicates(tuple(names[m] for m in members), tuple(sorted({classes[m] for m in members})))
        for members in shared(usable.column("pixel_hash"))
    ]
