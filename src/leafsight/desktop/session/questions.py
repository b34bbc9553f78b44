"""What is asked beside the window, and what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leafsight.desktop.session.photographs import Trouble
from leafsight.inference import Combined, Prediction


@dataclass(frozen=True, slots=True)
class Question:
    """About one photograph.

    Attributes:
        number: of the photograph.
        path: where it lies.
        crop: key, where the person said it.
        heatmap: whether to say where in the picture.
        asked: counts how often everything was asked anew; who gets the answer knows by it whether it is
            stale.
    """

    number: int
    path: Path
    crop: str | None = None
    heatmap: bool = False
    asked: int = 0


@dataclass(frozen=True, slots=True)
class PlantQuestion:
    """About one plant.

    Attributes:
        number: of the plant.
        photographs: their numbers.
        paths: where these lie.
        crop: key, where the person said it.
        asked: as of ``Question``.
    """

    number: int
    photographs: tuple[int, ...]
    paths: tuple[Path, ...]
    crop: str | None = None
    asked: int = 0


@dataclass(frozen=True, slots=True)
class PlantAnswer:
    """What was said about a plant.

    Attributes:
        question: that was asked.
        predictions: for each of its photographs; empty where there is a problem.
        said: the answer of all together, or why there is none.
    """

    question: PlantQuestion
    predictions: Sequence[Prediction]
    said: Combined | Trouble


Answered = tuple[Question, Prediction] | PlantAnswer
