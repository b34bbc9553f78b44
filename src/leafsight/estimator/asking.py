"""A held model asked about photographs, in the tables that scikit-learn wants.

Enters: a predictor and photographs. Leaves: predictions, and rows of numbers or truth values in a given order
of classes. It does not know labels that are no text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from leafsight.errors import ImageError, StorageError
from leafsight.estimator.photographs import InputError, Item, photo_of, places
from leafsight.images import DecodeLimits
from leafsight.inference import BundlePredictor, Photo, Prediction

PHOTOS_AT_ONCE = 64
"""Read and held in memory together; a multiple of the predictor's batch, which so stays whole."""


def predictions(predictor: BundlePredictor, items: Sequence[Item], crop: str | None) -> list[Prediction]:
    """A prediction for each photograph; one that is no picture is called unreadable.

    Raises:
        InputError: a file is missing, empty or too large.
        TaxonomyError: the model does not know the crop.
    """
    found: list[Prediction] = []
    for start in range(0, len(items), PHOTOS_AT_ONCE):
        some = items[start : start + PHOTOS_AT_ONCE]
        photos = [_photo(item, start + number) for number, item in enumerate(some)]
        found += predictor.predict(photos, crop=crop)
    return found


def _photo(item: Item, number: int) -> Photo:
    try:
        return photo_of(item, DecodeLimits())
    except (StorageError, ImageError) as error:
        raise InputError(f"X[{number}]: {error.message}", hint=error.hint) from error


def readable(answers: Sequence[Prediction]) -> Sequence[Prediction]:
    """The same answers, unless some are about nothing.

    Raises:
        InputError: names every photograph that cannot be read.
    """
    odd = {number: one.reason for number, one in enumerate(answers) if one.verdict == "unreadable"}
    if odd:
        raise InputError(
            f"{len(odd)} of {len(answers)} photographs cannot be read: {places(odd)}",
            hint="leave them out, or ask verdicts(X), which says so of each",
        )
    return answers


def probabilities(answers: Sequence[Prediction], names: Sequence[str]) -> Float64[np.ndarray, "n c"]:
    """The probability of each class; the answers must list every class that has one.

    Args:
        answers: n of them.
        names: c classes, in the order of the columns.
    """
    said = [{one.class_name: one.probability for one in answer.top} for answer in answers]
    return np.array([[row.get(name, 0.0) for name in names] for row in said], np.float64)


def sets(answers: Sequence[Prediction], names: Sequence[str]) -> Bool[np.ndarray, "n c"]:
    """Which classes cannot be excluded; arguments as for ``probabilities``."""
    possible = [{one.class_name for one in answer.possible} for answer in answers]
    return np.array([[name in row for name in names] for row in possible], bool)
