"""The seam between whoever has photographs and whoever can judge them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np

from leafsight.inference.prediction import Combined, Prediction

Photo: TypeAlias = bytes | np.ndarray
"""The bytes of a file, or an upright picture ``uint8[height, width, 3]``; a path is read by the entrance."""


@runtime_checkable
class Predictor(Protocol):
    """Anything that diagnoses: a bundle here, a remote server, a fake."""

    def predict(
        self, photos: Sequence[Photo], *, crop: str | None = None, heatmap: bool = False
    ) -> list[Prediction]:
        """One prediction for each photograph, in their order.

        A photograph that cannot be read, or judged, gets a verdict that says so; it never stops the others.

        Args:
            photos: bytes or RGB arrays; may be empty.
            crop: any spelling of the crop, when the person knows it; the answer is then among the
                conditions of that crop, and "not a leaf" stays possible.
            heatmap: also say where in the picture the evidence is.

        Raises:
            TaxonomyError: the model does not know the crop; the hint names those that it knows.
            UsageError: something that is neither bytes nor an RGB array.
        """
        ...


@runtime_checkable
class PlantPredictor(Predictor, Protocol):
    """A predictor that also gives one answer for several photographs of one plant."""

    def predict_plant(
        self, photos: Sequence[Photo], *, crop: str | None = None, heatmap: bool = False
    ) -> tuple[list[Prediction], Combined]:
        """One prediction for each photograph, in their order, and one answer for the plant.

        Args:
            photos: of one plant, at least one.
            crop: as in ``predict``.
            heatmap: as in ``predict``.

        Raises:
            TaxonomyError: the model does not know the crop.
            UsageError: no photograph, or something that is none.
        """
        ...
