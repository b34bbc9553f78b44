"""What the gate found: each condition with its number, its limit and a sentence.

Enters: numbers. Leaves: frozen records and plain values. It measures nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

VERSION = 1


@dataclass(frozen=True, slots=True)
class Check:
    """One condition.

    Attributes:
        name: of the condition, for programs.
        passed: whether it holds.
        value: what was measured, or None.
        low: lower end of its interval, or None.
        limit: what it is held against, or None.
        said: the same in a sentence.
    """

    name: str
    passed: bool
    value: float | None
    low: float | None
    limit: float | None
    said: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what is not a number becomes None."""
        numbers = {name: _number(getattr(self, name)) for name in ("value", "low", "limit")}
        return asdict(self) | numbers


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class, the champion against the candidate.

    Attributes:
        name: of the class.
        where: ``locked test`` or ``contributions``.
        photos: how many.
        champion: how many the champion has right; None where it does not know the class.
        candidate: how many the candidate has right.
        low, high: Wilson interval of the candidate's share.
    """

    name: str
    where: str
    photos: int
    champion: int | None
    candidate: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Said:
    """What one model says of one photograph.

    Attributes:
        kind: of the verdict, such as ``diagnosis`` or ``cannot_tell``.
        class_name: its first guess, whatever the verdict is.
        probability: of that, calibrated.
        right: whether the guess is what people say.
    """

    kind: str
    class_name: str
    probability: float
    right: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A contribution that taught neither model, and of which they do not say the same.

    Attributes:
        pixel_hash: the first 16 digits of the hash of its pixels; finds it in the snapshot.
        name: the class that it was accepted as.
        champion, candidate: what they say.
    """

    pixel_hash: str
    name: str
    champion: Said
    candidate: Said


@dataclass(frozen=True, slots=True)
class GateReport:
    """The decision and what it rests on.

    Attributes:
        champion: content hash of the model that serves.
        candidate: of the one that wants to; empty when it could not be opened.
        passed: whether every condition holds.
        said: the decision in a sentence.
        checks: the conditions.
        photos: of the locked test.
        lost, gained: photographs that only the champion, only the candidate has right.
        classes: both models class by class.
        measured: metric -> champion, candidate; on the locked test.
        options: the limits that were asked for.
        differ: contributions of which the two say different things, what was lost first.
        differing: how many those are; ``differ`` may hold fewer.
    """

    champion: str
    candidate: str
    passed: bool
    said: str
    checks: tuple[Check, ...]
    photos: int = 0
    lost: int = 0
    gained: int = 0
    classes: tuple[ClassRow, ...] = ()
    measured: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    differ: tuple[Difference, ...] = ()
    differing: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "version": VERSION,
            "champion": self.champion,
            "candidate": self.candidate,
            "passed": self.passed,
            "said": self.said,
            "checks": [check.to_dict() for check in self.checks],
            "photos": self.photos,
            "lost": self.lost,
            "gained": self.gained,
            "classes": [asdict(row) for row in self.classes],
            "measured": {name: [_number(one) for one in pair] for name, pair in self.measured.items()},
            "options": dict(self.options),
            "differing": self.differing,
            "differ": [asdict(one) for one in self.differ],
        }


def decided(champion: str, candidate: str, checks: list[Check], **found: Any) -> GateReport:
    """The report of these conditions: all must hold, and there must be some."""
    failed = [check for check in checks if not check.passed]
    if failed:
        more = f" (and {len(failed) - 1} more of {len(checks)} conditions)" if len(failed) > 1 else ""
        said = f"Not better to serve{more}: {failed[0].said}"
    else:
        said = f"All {len(checks)} conditions hold."
    return GateReport(champion, candidate, bool(checks) and not failed, said, tuple(checks), **found)


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.8g}")
