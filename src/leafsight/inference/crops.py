"""Which classes of a model belong to the crop that a person names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leafsight.bundle import Label
from leafsight.errors import TaxonomyError
from leafsight.taxonomy import find_crop, positions_of


@dataclass(frozen=True, slots=True)
class CropChoice:
    """The crop as the taxonomy writes it, and its classes, bool ``[classes]``; None and None for any."""

    key: str | None = None
    allowed: np.ndarray | None = None


ANY_CROP = CropChoice()


def choose_crop(crop: str, labels: Sequence[Label]) -> CropChoice:
    """The classes to which an answer is limited.

    Args:
        crop: any spelling, of the taxonomy or of the labels.
        labels: of the model.

    Raises:
        TaxonomyError: no class belongs to the crop; the hint names the crops of the model.
    """
    # The keys of the manifest say the crop even where a class name does not (bean's "healthy").
    names = [f"{one.crop}___{one.condition}" if one.crop else one.class_name for one in labels]
    allowed = np.zeros(len(labels), dtype=bool)
    allowed[list(positions_of(crop, names))] = True
    allowed &= np.array([one.is_leaf for one in labels])
    return CropChoice(_key(crop), allowed)


def _key(crop: str) -> str:
    try:
        return find_crop(crop).key
    except TaxonomyError:
        return crop  # a lab's own crop: its class names know it, the vocabulary does not
