"""What was found about labels that may be wrong.

Enters: scores and counts. Leaves: records, the worst first, with lines for the terminal and JSON-able values.
It does not know how the probabilities came about, nor which label is right: a person looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

MOST_LISTED = 200
MOST_PAIRS = 8


@dataclass(frozen=True, slots=True)
class SuspiciousLabel:
    """One photograph whose label may be wrong.

    Attributes:
        row: its row in what was handed in.
        rank: 1 for the most suspicious.
        given: its label.
        suggested: the most probable other class.
        probability_given: of the given class, out of fold.
        probability_suggested: of the suggested class.
        score: ``probability_suggested / (probability_given + probability_suggested)``, 0..1; above 0.5 the
            photographs around it speak for the other class.
        confident: counted as wrong in the confident joint.
    """

    row: int
    rank: int
    given: str
    suggested: str
    probability_given: float
    probability_suggested: float
    score: float
    confident: bool


@dataclass(frozen=True, slots=True)
class LabelConflict:
    """Photographs of one group (one leaf, or copies of one picture) that carry different labels."""

    rows: tuple[int, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfusedLabels:
    """``photos`` with the label ``given`` that confidently look like ``suggested``."""

    given: str
    suggested: str
    photos: int


@dataclass(frozen=True, slots=True, eq=False)
class LabelReport:
    """The labels of a collection, all rows ranked.

    Attributes:
        classes: names, in the order of the joint.
        labels: int64[n], as given.
        suggested: int64[n], the most probable other class; -1 where nothing could be said.
        probability_given: float64[n]; NaN where nothing could be said.
        probability_suggested: float64[n]; NaN likewise.
        score: float64[n], 0..1, suspicion; NaN likewise.
        order: int64[m], rows from the most suspicious on; without those of which nothing could be said.
        confident: bool[n], off the diagonal of the confident joint.
        joint: int64[c, c], the confident joint: row given, column what the photograph confidently looks like.
        wrong_share: estimated share of wrong labels, 0..1: what is confidently off the diagonal, no
            calibration.
        agreement: share of photographs whose most probable class is the given one. Where it is low the
            features do not tell these classes apart, and the list is worth little.
        conflicts: groups under several labels.
        not_judged: classes with fewer than two groups.
    """

    classes: tuple[str, ...]
    labels: Int64[np.ndarray, " n"]
    suggested: Int64[np.ndarray, " n"]
    probability_given: Float64[np.ndarray, " n"]
    probability_suggested: Float64[np.ndarray, " n"]
    score: Float64[np.ndarray, " n"]
    order: Int64[np.ndarray, " judged"]
    confident: Bool[np.ndarray, " n"]
    joint: Int64[np.ndarray, "c c"]
    wrong_share: float
    agreement: float
    conflicts: tuple[LabelConflict, ...]
    not_judged: tuple[str, ...]

    def worst(self, most: int = MOST_LISTED) -> tuple[SuspiciousLabel, ...]:
        """The most suspicious photographs, at most ``most``, without those whose own label is likelier."""
        chosen = self.order[:most]
        chosen = chosen[self.score[chosen] > 0.5]
        return tuple(
            SuspiciousLabel(
                row=int(row),
                rank=rank,
                given=self.classes[self.labels[row]],
                suggested=self.classes[self.suggested[row]],
                probability_given=float(self.probability_given[row]),
                probability_suggested=float(self.probability_suggested[row]),
                score=float(self.score[row]),
                confident=bool(self.confident[row]),
            )
            for rank, row in enumerate(chosen, start=1)
        )

    def confused(self, most: int = MOST_PAIRS) -> tuple[ConfusedLabels, ...]:
        """Where most confidently wrong labels lie: the largest entries beside the diagonal of the joint."""
        off = self.joint.copy()
        np.fill_diagonal(off, 0)
        flat = np.argsort(-off, axis=None, kind="stable")[:most]
        pairs = zip(*np.unravel_index(flat, off.shape), strict=True)
        return tuple(
            ConfusedLabels(self.classes[given], self.classes[looks], int(off[given, looks]))
            for given, looks in pairs
            if off[given, looks]
        )

    def to_dict(self, most: int = MOST_LISTED) -> dict[str, Any]:
        """JSON-able values: the ``most`` worst photographs, not all rows."""
        return {
            "photos": len(self.labels),
            "judged": len(self.order),
            "wrong_share": round(self.wrong_share, 6),
            "confident": int(self.confident.sum()),
            "agreement": round(self.agreement, 6),
            "not_judged": list(self.not_judged),
            "conflicts": [
                {"rows": list(one.rows), "labels": list(one.labels)} for one in self.conflicts[:most]
            ],
            "conflicts_in_all": len(self.conflicts),
            "confused": [
                {"given": pair.given, "suggested": pair.suggested, "photos": pair.photos}
                for pair in self.confused()
            ],
            "worst": [_plain(one) for one in self.worst(most)],
        }

    def lines(self, names: Sequence[str] | None = None, most: int = 10) -> list[str]:
        """Sentences and the worst photographs, for the terminal.

        Args:
            names: of all photographs, such as paths; without them the row is shown.
            most: photographs listed.
        """
        said = [
            f"{100 * self.agreement:.0f} % of {len(self.order)} photographs look most like their own class; "
            f"{int(self.confident.sum())} ({100 * self.wrong_share:.1f} %) confidently look like another one",
            *(
                f"  {pair.photos} labelled {pair.given} look like {pair.suggested}"
                for pair in self.confused(MOST_PAIRS)
            ),
        ]
        for one in self.worst(most):
            where = f"row {one.row}" if names is None else names[one.row]
            said.append(f"  {one.score:.2f}  {where}: labelled {one.given}, looks like {one.suggested}")
        if self.conflicts:
            said.append(f"{len(self.conflicts)} groups of photographs carry more than one label")
        if self.not_judged:
            some = ", ".join(self.not_judged[:MOST_PAIRS])
            rest = (
                f" and {len(self.not_judged) - MOST_PAIRS} more" if len(self.not_judged) > MOST_PAIRS else ""
            )
            said.append(f"not judged, fewer than two independent groups: {some}{rest}")
        return said


def _plain(one: SuspiciousLabel) -> dict[str, Any]:
    return {
        "row": one.row,
        "rank": one.rank,
        "given": one.given,
        "suggested": one.suggested,
        "probability_given": round(one.probability_given, 6),
        "probability_suggested": round(one.probability_suggested, 6),
        "score": round(one.score, 6),
        "confident": one.confident,
    }
