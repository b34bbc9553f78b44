"""What a person is really told: how much is answered, how often rightly, and what naming the crop adds.

Like ``metrics``, everything is a ratio of sums over photographs.
"""

from __future__ import annotations

import numpy as np

from leafsight.evaluation.bootstrap import Metrics, Sums
from leafsight.evaluation.calibration import Calibration
from leafsight.evaluation.probability import restrict, softmax
from leafsight.evaluation.scores import Scores
from leafsight.evaluation.shapes import Allowed, Labels
from leafsight.evaluation.verdict import Decisions, decide_all

# metric -> (summed in the numerator, summed in the denominator)
RATIOS = {
    "answered": ("told", "photos"),
    "accuracy_answered": ("told_right", "told"),
    "wrong_silenced": ("silenced", "wrong"),
    "set_coverage": ("covered", "photos"),
    "mean_set_size": ("set_size", "photos"),
    "crop_right": ("crop_right", "crop_photos"),
    "crop_given_accuracy": ("crop_given_right", "crop_photos"),
    "crop_given_answered": ("crop_given_told", "crop_photos"),
    "crop_given_accuracy_answered": ("crop_given_told_right", "crop_given_told"),
    "crop_given_set_coverage": ("crop_given_covered", "crop_photos"),
    "crop_given_mean_set_size": ("crop_given_set_size", "crop_photos"),
}


def answer_columns(
    scores: Scores,
    labels: Labels,
    mates: Allowed,
    calibration: Calibration | None,
    decisions: Decisions | None,
) -> Sums:
    """What each photograph adds to the sums of ``RATIOS``, by name float64[n].

    Args:
        scores: of n photographs.
        labels: int[n].
        mates: bool[c, c] from ``crop_mates``. Photographs of classes whose mates are all classes (no crop
            is known) are left out of the numbers about crops.
        calibration: ``None`` leaves out what only a calibrated model can say.
        decisions: of the calibration, without a crop.
    """
    rows = np.arange(len(labels))
    top = scores.logits.argmax(axis=1)
    result: dict[str, np.ndarray] = {}
    if decisions is not None:
        told, right = decisions.kinds == 0, decisions.top == labels
        result |= {
            "told": told,
            "told_right": told & right,
            "wrong": ~right,
            "silenced": ~right & ~told,
            "covered": decisions.sets[rows, labels],
            "set_size": decisions.sets.sum(axis=1),
        }
    has_crop: np.ndarray = np.asarray(~mates.all(axis=1))
    known: np.ndarray = has_crop[labels]
    if known.any():
        allowed: np.ndarray = mates[labels]
        within = softmax(restrict(scores.logits, allowed))
        result |= {
            "crop_photos": known,
            "crop_right": known & allowed[rows, top] & has_crop[top],
            "crop_given_right": known & (within.argmax(axis=1) == labels),
        }
        if calibration is not None:
            given = decide_all(calibration, scores.logits, scores.embedding, allowed)
            told = known & (given.kinds == 0)
            result |= {
                "crop_given_told": told,
                "crop_given_told_right": told & (given.top == labels),
                "crop_given_covered": known & given.sets[rows, labels],
                "crop_given_set_size": known * given.sets.sum(axis=1),
            }
    return {name: values.astype(np.float64) for name, values in result.items()}


def groups_asked(sums: Sums) -> dict[str, int]:
    """For every metric that is a share: how many groups have a photograph in its denominator.

    Args:
        sums: float64[n_groups, m] by name, from ``group_sums``.
    """
    asked = {"accuracy": "photos", "group_accuracy": "photos"} | {
        f"{name}_accuracy": "photos" for name in sums if name.startswith("top_")
    }
    asked |= {name: below for name, (_, below) in RATIOS.items() if not name.endswith("set_size")}
    return {name: int((sums[below] > 0).sum()) for name, below in asked.items() if below in sums}


def measure_answers(sums: Sums) -> Metrics:
    """Sums float64[b, 1] by name -> ratios float64[b] by name; NaN where nothing is in the denominator."""
    metrics = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, (above, below) in RATIOS.items():
            if above in sums and below in sums:
                metrics[name] = sums[above][:, 0] / sums[below][:, 0]
    return metrics
