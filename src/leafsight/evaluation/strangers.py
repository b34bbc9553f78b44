"""How well a model keeps silent about photographs that are none of its business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation.calibration import Calibration
from leafsight.evaluation.interval import Interval, wilson
from leafsight.evaluation.scores import Scores
from leafsight.evaluation.shapes import OtherFloats, RowFloats
from leafsight.evaluation.verdict import KINDS, decide_all


@dataclass(frozen=True, slots=True)
class StrangerResult:
    """Photographs without any leaf that the model knows, against leaves from home.

    Attributes:
        photos: number of strangers.
        diagnosed: share of strangers that got a diagnosis, which is always wrong; Wilson interval.
        kinds: how many got which verdict.
        home_diagnosed: share of the leaves from home that got one, the price of the silence.
        auroc: by score ("unfamiliarity", "not_leaf", "doubt" = 1 - confidence): chance that a stranger
            scores higher than a leaf from home; 0.5 is blind.
        false_positive_rate_at_95: by score, share of strangers let in when 95 % of leaves are let in.
    """

    photos: int
    diagnosed: Interval
    kinds: Mapping[str, int]
    home_diagnosed: Interval
    auroc: Mapping[str, float]
    false_positive_rate_at_95: Mapping[str, float]


def judge_strangers(calibration: Calibration, home: Scores, strangers: Scores) -> StrangerResult:
    """Measure rejection.

    Args:
        calibration: of the model.
        home: test photographs of known leaves.
        strangers: photographs that show no known leaf.

    Raises:
        EvaluationError: one of the two is empty.
    """
    if not len(home) or not len(strangers):
        raise EvaluationError("rejection needs photographs of leaves and of strangers")
    inside = decide_all(calibration, home.logits, home.embedding)
    outside = decide_all(calibration, strangers.logits, strangers.embedding)
    scores = {
        "doubt": (1.0 - inside.confidence, 1.0 - outside.confidence),
        "not_leaf": (inside.not_leaf, outside.not_leaf),
    }
    if inside.unfamiliarity is not None and outside.unfamiliarity is not None:
        scores["unfamiliarity"] = (inside.unfamiliarity, outside.unfamiliarity)
    return StrangerResult(
        photos=len(strangers),
        diagnosed=_share_of(outside.kinds == 0),
        kinds={
            kind: int(count)
            for kind, count in zip(KINDS, np.bincount(outside.kinds, minlength=3), strict=True)
        },
        home_diagnosed=_share_of(inside.kinds == 0),
        auroc={name: auroc(*pair) for name, pair in scores.items()},
        false_positive_rate_at_95={
            name: float((theirs <= np.quantile(ours, 0.95, method="higher")).mean())
            for name, (ours, theirs) in scores.items()
        },
    )


def auroc(low: RowFloats, high: OtherFloats) -> float:
    """Chance that a value of ``high`` is above one of ``low``, ties counting half (Mann and Whitney 1947)."""
    ordered = np.sort(low)
    below = np.searchsorted(ordered, high, side="left")
    not_above = np.searchsorted(ordered, high, side="right")
    return float((below + not_above).mean() / (2.0 * len(low)))


def _share_of(flags: np.ndarray) -> Interval:
    low, high = wilson(int(flags.sum()), len(flags))
    return Interval(float(flags.mean()), float(low), float(high))
