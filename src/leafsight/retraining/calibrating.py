"""The calibration of a candidate, fitted anew with the choices of its parent.

Enters: the parent, the classes and the memory of the candidate, logits. Leaves: a ``Calibration``. It does
not know how the head was learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from leafsight.bundle import Bundle, Label, Memory, labels_for
from leafsight.errors import EvaluationError, TrainingError
from leafsight.evaluation import Calibration, CalibrationOptions, Scores, fit_calibration

KEPT = ("alpha", "target_accuracy", "not_leaf_threshold", "far_factor")
"""What a parent's calibration says of the choices that were made for it; the others are the usual ones."""


def labels_of(parent: Bundle, classes: Sequence[str]) -> list[Label]:
    """The labels of the classes: the parent's where it has them, of new ones as the taxonomy reads them."""
    known = {label.class_name: label for label in parent.labels}
    new = [name for name in classes if name not in known]
    known |= {label.class_name: label for label in labels_for(new)}
    return [known[name] for name in classes]


def crops_of(labels: Sequence[Label]) -> dict[str, str]:
    """Class name -> crop, for the classes that have one."""
    return {label.class_name: label.crop for label in labels if label.crop is not None}


def calibration_of(parent: Bundle) -> Calibration:
    """The parent's own calibration.

    Raises:
        TrainingError: it has none, or one that cannot be read.
    """
    try:
        return Calibration.from_parts(parent.calibration_arrays(), parent.calibration)
    except EvaluationError as error:
        raise TrainingError(
            f"the model {parent.name} has no calibration to go on from: {error.message}", hint=error.hint
        ) from error


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """What heads say of photographs that they did not learn from.

    Attributes:
        home: logits of the rows ``calibration``.
        stressed: logits of the rows ``stressed``.
    """

    home: Float32[np.ndarray, "n c"]
    stressed: Float32[np.ndarray, "m c"]


def recalibrated(parent: Bundle, labels: Sequence[Label], memory: Memory, unseen: Unseen) -> Calibration:
    """Fit temperature, conformal cuts, thresholds and familiarity.

    Calibration photographs are those of the parent and the contributions with that role; the thresholds
    must hold on the photographs that were made worse, too.

    Raises:
        TrainingError: the memory has no calibration photographs.
    """
    home, stressed, train = (memory.rows(split) for split in ("calibration", "stressed", "train"))
    if not len(home):
        raise TrainingError(
            f"the model {parent.name} remembers no calibration photographs", hint="export it again"
        )
    return fit_calibration(
        unseen.home,
        memory.label[home],
        memory.embedding[home],
        memory.embedding[train],
        memory.label[train],
        tuple(label.class_name for label in labels),
        _options(calibration_of(parent), labels),
        stressed=(Scores(unseen.stressed), memory.label[stressed]) if len(stressed) else None,
    )


def plain_calibration(parent: Bundle, fitted: Calibration) -> Mapping[str, Any]:
    """The plain values for the candidate; what else stood beside the parent's calibration stays."""
    own = fitted.to_dict()
    return {**{key: value for key, value in parent.calibration.items() if key not in own}, **own}


def _options(old: Calibration, labels: Sequence[Label]) -> CalibrationOptions:
    chosen: dict[str, Any] = {name: getattr(old, name) for name in KEPT}
    if len(np.unique(old.cuts)) > 1:
        chosen["conformal"] = "by_class"
    if old.familiarity is not None:
        chosen["familiarity_dims"] = old.familiarity.directions.shape[1]
    return CalibrationOptions(
        **chosen,
        not_leaf_classes=tuple(label.class_name for label in labels if not label.is_leaf),
        crops=crops_of(labels),
    )
