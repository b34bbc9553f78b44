"""How far two models are apart on the same photographs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from leafsight.errors import ExportError
from leafsight.evaluation import Scores


@dataclass(frozen=True, slots=True)
class ParityProof:
    """One model against another on the same photographs.

    Attributes:
        photos: how many were compared.
        max_abs_diff: largest difference of a logit.
        mean_abs_diff: mean difference of a logit.
        max_abs_diff_embedding: largest difference of an embedding's value.
        top1_agreement: share of photographs with the same first class.
        tolerance: what ``max_abs_diff`` may be.
    """

    photos: int
    max_abs_diff: float
    mean_abs_diff: float
    max_abs_diff_embedding: float
    top1_agreement: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether no logit differs by more than the tolerance (NaN never passes)."""
        return self.max_abs_diff <= self.tolerance

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the bundle's provenance."""
        return asdict(self) | {"passed": self.passed}


def compared(reference: Scores, found: Scores, *, tolerance: float) -> ParityProof:
    """Compare what two models say of the same photographs; both give embeddings.

    Args:
        reference: float logits [n, classes] and embedding [n, d], n at least 1.
        found: the same of the other model.
        tolerance: see ``ParityProof``.
    """
    assert reference.embedding is not None
    assert found.embedding is not None
    off = np.abs(found.logits - reference.logits)
    return ParityProof(
        photos=len(off),
        max_abs_diff=float(off.max()),
        mean_abs_diff=float(off.mean()),
        max_abs_diff_embedding=float(np.abs(found.embedding - reference.embedding).max()),
        top1_agreement=float((found.logits.argmax(1) == reference.logits.argmax(1)).mean()),
        tolerance=tolerance,
    )


def require_passed(proof: ParityProof, pair: str) -> None:
    """Refuse what differs.

    Raises:
        ExportError: the proof did not pass.
    """
    if not proof.passed:
        raise ExportError(
            f"{pair} differ by up to {proof.max_abs_diff:.2e} in a logit, more than {proof.tolerance:.0e}",
            hint="this is a bug of the export; please report it with the recipe",
        )
