"""What a health check says: findings, each with the photographs it is about.

Enters: nothing. Leaves: the records that every part of the check fills. It does not know how anything is
found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Part = Literal["files", "quality", "duplicates", "leaks", "labels", "balance", "shortcuts"]
Weight = Literal["mend", "look", "know"]

WEIGHTS: tuple[Weight, ...] = ("mend", "look", "know")
PARTS: tuple[Part, ...] = ("leaks", "labels", "duplicates", "files", "shortcuts", "balance", "quality")
"""Within a weight, what spoils a result most comes first."""


@dataclass(frozen=True, slots=True)
class Case:
    """One photograph, or several that belong together.

    Attributes:
        rows: positions in the index, at least one.
        text: what is the matter with these, without their names.
        score: how sure or how bad, larger is worse; its meaning is the finding's.
        kind: of a pair of duplicates.
        elsewhere: names in the collection that was compared with (``--against``).
    """

    rows: tuple[int, ...]
    text: str = ""
    score: float | None = None
    kind: str = ""
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or worth knowing.

    Attributes:
        kind: a short fixed name, such as ``corrupt-image``.
        part: of the check.
        weight: ``mend`` before training, ``look`` at it, or ``know`` it.
        sentence: the finding, with its number.
        hint: what to do.
        count: photographs concerned.
        of: photographs looked at.
        cases: every case, the worst first.
        per_class: photographs concerned by class.
        class_sizes: photographs looked at by class, where a share by class says something.
    """

    kind: str
    part: Part
    weight: Weight
    sentence: str
    hint: str = ""
    count: int = 0
    of: int = 0
    cases: tuple[Case, ...] = ()
    per_class: Mapping[str, int] = field(default_factory=dict)
    class_sizes: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self, names: Sequence[str]) -> dict[str, Any]:
        """Plain values for JSON; rows become names."""
        return {
            "kind": self.kind,
            "part": self.part,
            "weight": self.weight,
            "sentence": self.sentence,
            "hint": self.hint,
            "count": self.count,
            "of": self.of,
            "per_class": dict(self.per_class),
            **({"class_sizes": dict(self.class_sizes)} if self.class_sizes else {}),
            "cases": [_plain(case, names) for case in self.cases],
        }


def _plain(case: Case, names: Sequence[str]) -> dict[str, Any]:
    said: dict[str, Any] = {"photographs": [names[row] for row in case.rows]}
    if case.elsewhere:
        said["elsewhere"] = list(case.elsewhere)
    if case.text:
        said["text"] = case.text
    if case.kind:
        said["kind"] = case.kind
    if case.score is not None:
        said["score"] = round(case.score, 6)
    return said


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings by weight, then by part, then by how many photographs they are about."""
    return tuple(
        sorted(findings, key=lambda f: (WEIGHTS.index(f.weight), PARTS.index(f.part), -f.count, f.kind))
    )


def counted(class_names: Sequence[str], rows: Sequence[int]) -> dict[str, int]:
    """Photographs by class, the most concerned first."""
    counts = Counter(class_names[row] for row in set(rows))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def share(count: int, of: int) -> str:
    """A count as a share that never rounds something to nothing: ``3 of 40 (7.5 %)``."""
    if not of:
        return f"{count}"
    percent = 100 * count / of
    shown = "less than 0.1" if 0 < percent < 0.1 else f"{percent:.1f}"
    return f"{count} of {of} ({shown} %)"
