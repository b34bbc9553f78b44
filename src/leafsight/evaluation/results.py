"""The records that an evaluation consists of; all of them turn into plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from leafsight.evaluation.interval import Interval, number
from leafsight.evaluation.reliability import ReliabilityBin


@dataclass(frozen=True, slots=True)
class ClassResult:
    """One class of the test.

    Attributes:
        name: of the class.
        photos: test photographs of it (its support).
        groups: independent groups among them.
        answered: how often the model answered with it, rightly or not.
        right: how often rightly.
        precision: right / answered; Wilson interval, since counts are small.
        recall: right / photos; Wilson interval on the number of groups.
        f1: bootstrap interval.
        set_coverage: share of its photographs whose conformal set holds it; ``None`` without calibration.
    """

    name: str
    photos: int
    groups: int
    answered: int
    right: int
    precision: Interval
    recall: Interval
    f1: Interval
    set_coverage: Interval | None


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Photographs of ``true`` that were called ``answer``; ``share`` of all photographs of ``true``."""

    true: str
    answer: str
    photos: int
    share: float


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """When this share of photographs is answered, the surest first, this share of the answers is wrong."""

    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class Slice:
    """The headline numbers of all photographs, or of those of one domain (source, camera, country).

    Attributes:
        name: of the domain.
        photos: number of photographs.
        groups: number of independent groups, which is what the intervals count.
        absent: classes without a photograph here; they are in no macro mean.
        metrics: by name; ``docs/evaluation.md`` lists them. What cannot be said is not there.
        risk_coverage: at most 101 points, from the surest photographs to all.
    """

    name: str
    photos: int
    groups: int
    absent: tuple[str, ...]
    metrics: Mapping[str, Interval]
    risk_coverage: tuple[RiskPoint, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A photograph with a wrong answer.

    Attributes:
        row: its row in the scores.
        true: its class.
        answer: what the model said.
        probability: how sure it was.
        probability_of_true: what it gave to the truth.
        kind: what a person would have been told; a mistake that was kept silent did less harm.
        domain: where it is from; empty when not known.
    """

    row: int
    true: str
    answer: str
    probability: float
    probability_of_true: float
    kind: str
    domain: str


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What each photograph adds to each number; kept in memory for ``compare``, not in the JSON.

    Attributes:
        labels: int[n].
        groups: int[n], numbers 0..g-1.
        columns: by name float[n] or float[n, m].
    """

    labels: np.ndarray
    groups: np.ndarray
    columns: Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Everything that was measured.

    Attributes:
        classes: names, in the order of the confusion matrix.
        overall: all photographs.
        domains: each domain by itself, largest first; empty when no domains were given.
        per_class: one for each class, in order; an absent class has 0 photographs and undefined numbers.
        confusion: int64[c, c], row true, column answer.
        confused: the most frequent confusions.
        reliability: bins of the reliability diagram.
        set_sizes: how many photographs got a set of 1, 2, 3, ... classes; empty without calibration.
        verdicts: how many photographs got which kind of answer; empty without calibration.
        calibration: the plain part of the calibration used, or ``None``.
        mistakes: wrong answers, the surest first.
        settings: the options of the evaluation.
        evidence: for ``compare``.
    """

    classes: tuple[str, ...]
    overall: Slice
    domains: tuple[Slice, ...]
    per_class: tuple[ClassResult, ...]
    confusion: np.ndarray
    confused: tuple[ConfusedPair, ...]
    reliability: tuple[ReliabilityBin, ...]
    set_sizes: tuple[int, ...]
    verdicts: Mapping[str, int]
    calibration: Mapping[str, Any] | None
    mistakes: tuple[Mistake, ...]
    settings: Mapping[str, Any]
    evidence: Evidence

    def to_dict(self) -> dict[str, Any]:
        """All of it but the evidence, as JSON-able values; what is not defined is ``None``."""
        return {
            field.name: plain(getattr(self, field.name)) for field in fields(self) if field.name != "evidence"
        }


def plain(value: Any) -> Any:
    """Records, arrays and mappings as JSON-able values."""
    if isinstance(value, Interval):
        return value.to_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return number(float(value))
    return value.item() if isinstance(value, np.generic) else value
