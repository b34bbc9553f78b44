"""The records that a session hands out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from leafsight.errors import LeafsightError
from leafsight.inference import Prediction


@dataclass(frozen=True, slots=True)
class Photograph:
    """One row of the window.

    Attributes:
        number: from 0 on, in the order of coming; never given twice in a session.
        path: where the file lies.
        prediction: None while it waits. Without embedding; with a heatmap once somebody looked at it.
        correction: key of the class that a person says it is; None where nobody said anything.
    """

    number: int
    path: Path
    prediction: Prediction | None = None
    correction: str | None = None

    @property
    def waits(self) -> bool:
        """Whether the answer is still to come."""
        return self.prediction is None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing goes on, in the two sentences of every error here."""

    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: LeafsightError) -> Trouble:
        """What an error says."""
        return cls(error.message, error.hint)


@dataclass(frozen=True, slots=True)
class News:
    """What came since the last time somebody asked.

    Attributes:
        added: new photographs, in order.
        changed: photographs as they are now.
        trouble: what stands in the way now; None when nothing does.
        searching: whether folders are still being searched.
    """

    added: tuple[Photograph, ...] = ()
    changed: tuple[Photograph, ...] = ()
    trouble: Trouble | None = None
    searching: bool = False
