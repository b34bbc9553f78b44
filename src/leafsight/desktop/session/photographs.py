"""The records that a session hands out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from leafsight.desktop.session.language import translated
from leafsight.errors import LeafsightError
from leafsight.inference import Prediction


@dataclass(frozen=True, slots=True)
class Photograph:
    """One row of the window.

    Attributes:
        number: from 0 on, in the order of coming; never given twice in a session.
        path: where the file lies.
        prediction: None while it waits. Without embedding; with a heatmap once somebody looked at it.
        correction: key of the class that a person says it is: that of the answer itself where they say that
            it is right. None where nobody said anything.
        plant: number of the plant that it shows together with others; None where nobody said so.
    """

    number: int
    path: Path
    prediction: Prediction | None = None
    correction: str | None = None
    plant: int | None = None

    @property
    def is_confirmed(self) -> bool:
        """Whether a person says what the answer says; it ends when the answer changes."""
        return self.correction is not None and self.correction == (self.prediction and self.prediction.key)

    @property
    def is_corrected(self) -> bool:
        """Whether a person says what the answer does not say."""
        return self.correction is not None and not self.is_confirmed

    def knows_more(self, prediction: Prediction) -> bool:
        """Whether it has a heatmap, from the same model for the same crop."""
        own = self.prediction
        return (
            own is not None
            and own.heatmap is not None
            and (own.model_hash, own.crop_given) == (prediction.model_hash, prediction.crop_given)
        )

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

    def in_words(self, between: str = "\n") -> str:
        """Both sentences in the language of the window.

        Args:
            between: the two.
        """
        return f"{translated(self.message)}{between}{translated(self.hint)}".strip()


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
