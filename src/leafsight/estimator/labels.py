"""What scikit-learn calls y and groups, as the class names and group names of a collection.

Enters: labels of any kind that can be sorted, groups of any kind. Leaves: texts. It does not know
photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from leafsight.estimator.photographs import InputError


@dataclass(frozen=True, slots=True)
class Labels:
    """What was given as y.

    Attributes:
        classes: the labels that occur, sorted, in their own type: ``classes_``.
        names: class name of each photograph.
    """

    classes: np.ndarray
    names: list[str]


def labels_of(y: Any, count: int) -> Labels:
    """The classes in ``y`` and the class name of each photograph.

    Args:
        y: ``count`` labels: texts, whole numbers, truth values.
        count: of photographs.

    Raises:
        InputError: none given, another number of them, only one class, or one that cannot be a class name.
        ValueError: continuous numbers, NaN, or a table, in the words of scikit-learn.
    """
    if y is None:
        raise InputError("LeafClassifier requires y to be passed, but the target y is None")
    given = column_or_1d(y, warn=True)
    assert_all_finite(given, input_name="y")
    check_classification_targets(given)
    if len(given) != count:
        raise InputError(f"there are {count} photographs and {len(given)} labels", hint="give one for each")
    try:
        classes, codes = np.unique(given, return_inverse=True)
    except TypeError as error:
        raise InputError(f"the labels cannot be sorted: {error}", hint="give labels of one type") from error
    if len(classes) < 2:
        raise InputError(f"y has only one class: {classes[0]}", hint="a classifier needs two")
    names = class_names(classes)
    _require_usable(names)
    return Labels(classes, [names[code] for code in codes])


def class_names(classes: np.ndarray) -> list[str]:
    """What each class is called in the model file: its label as text."""
    return [str(label) for label in classes.tolist()]


def _require_usable(names: Sequence[str]) -> None:
    odd = [name for name in names if not name or name != name.strip()]
    if odd or len(set(names)) < len(names):
        raise InputError(
            f"{odd[0]!r} cannot be a class name" if odd else "two labels have the same text",
            hint="give labels whose texts differ, without blanks around them",
        )


def groups_of(groups: Any, count: int) -> list[str]:
    """The group of each photograph as text; empty where none is known (``None`` or NaN).

    Raises:
        InputError: another number of them than of photographs.
    """
    if groups is None:
        return [""] * count
    given = list(groups)
    if len(given) != count:
        raise InputError(f"there are {count} photographs and {len(given)} groups", hint="give one for each")
    return ["" if group is None or group != group else str(group).strip() for group in given]
