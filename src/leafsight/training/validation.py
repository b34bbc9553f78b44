"""How good the network is on the photographs that judge: a few plain numbers after every epoch.

The full judgement with intervals is ``evaluation``'s; this one only has to choose an epoch.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from leafsight.training.data import TrainingData


@dataclass(frozen=True, slots=True)
class Judgement:
    """Shares in 0..1 and the mean negative log likelihood in nats."""

    loss: float
    accuracy: float
    macro_f1: float
    domain_accuracy: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a loss that is not finite becomes None."""
        domains = {"domain_accuracy": dict(self.domain_accuracy)} if self.domain_accuracy else {}
        return {
            "loss": self.loss if math.isfinite(self.loss) else None,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            **domains,
        }

    def score(self, metric: str) -> float:
        """The number that decides, larger is better."""
        score = -self.loss if metric == "loss" else float(getattr(self, metric))
        # JSON knows no infinity, and a NaN would never be beaten.
        return score if math.isfinite(score) else -sys.float_info.max


def judge(
    logits: Float[np.ndarray, "n classes"],
    labels: Int64[np.ndarray, " n"],
    domains: Int64[np.ndarray, " n"] | None = None,
    domain_names: tuple[str, ...] = (),
) -> Judgement:
    """Judge logits. Macro F1 is the mean F1 over the classes that have photographs here."""
    wide = logits.astype(np.float64)
    shifted = wide - wide.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    predicted = logits.argmax(axis=1)
    right = predicted == labels
    by_domain = {}
    if domains is not None:
        for number in np.unique(domains):
            name = domain_names[number] if number < len(domain_names) else str(number)
            by_domain[name] = float(right[domains == number].mean())
    return Judgement(
        loss=float(-log_p[np.arange(len(labels)), labels].mean()),
        accuracy=float(right.mean()),
        macro_f1=macro_f1(labels, predicted, logits.shape[1]),
        domain_accuracy=by_domain,
    )


def judge_valid(logits: Float[np.ndarray, "n classes"], data: TrainingData) -> Judgement:
    """Judge the logits of the validation photographs, in the order of their rows."""
    rows, domains = data.valid_rows, data.domains
    return judge(logits, data.labels[rows], None if domains is None else domains[rows], data.domain_names)


def macro_f1(labels: Int64[np.ndarray, " n"], predicted: Int64[np.ndarray, " n"], n_classes: int) -> float:
    """Mean over present classes of ``2 tp / (support + predicted)``."""
    hits = np.bincount(labels[labels == predicted], minlength=n_classes)
    support = np.bincount(labels, minlength=n_classes)
    answered = np.bincount(predicted, minlength=n_classes)
    present = support > 0
    return float((2 * hits[present] / (support + answered)[present]).mean())
