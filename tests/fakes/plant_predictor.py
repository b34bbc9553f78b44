"""The fake that also answers for a plant: what its first usable photograph shows."""

from __future__ import annotations

from collections.abc import Sequence

from tests.fakes.predictor import FakePredictor

from leafsight.inference import Combined, Photo, Prediction
from leafsight.inference.prediction import ANSWER_NAMES


class FakePlantPredictor(FakePredictor):
    """``FakePredictor`` with one answer for several photographs.

    Attributes:
        plants: how many photographs each call of ``predict_plant`` had, and of which crop.
    """

    def __init__(self) -> None:
        super().__init__()
        self.plants: list[tuple[int, str | None]] = []

    def predict_plant(
        self, photos: Sequence[Photo], *, crop: str | None = None, heatmap: bool = False
    ) -> tuple[list[Prediction], Combined]:
        """See ``leafsight.inference.PlantPredictor``."""
        self.plants.append((len(photos), crop))
        found = self.predict(photos, crop=crop, heatmap=heatmap)
        used = [one for one in found if one.is_diagnosis]
        first = (used or found)[0]
        plain = {name: getattr(first, name) for name in ANSWER_NAMES}
        return found, Combined(**plain, photographs=len(found), used=len(used))
