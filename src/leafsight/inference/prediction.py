"""What is said about one photograph, and about several of one plant.

Enters: the fields of an answer, from the judge or from JSON. Leaves: a record that cannot name a condition by
mistake. It does not know how an answer is found, nor how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np

from leafsight.errors import LeafsightError, RemoteError
from leafsight.inference.plain_values import (
    HINT,
    Reader,
    count,
    many,
    number,
    numbers,
    one_of,
    optional,
    read_fields,
    rows_of_numbers,
    share,
    text,
    texts_and_numbers,
)

VerdictKind = Literal["diagnosis", "cannot_tell", "not_a_leaf", "too_blurred", "unreadable"]
VERDICTS: tuple[VerdictKind, ...] = ("diagnosis", "cannot_tell", "not_a_leaf", "too_blurred", "unreadable")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One class with its calibrated probability, 0..1."""

    class_name: str
    key: str
    display: str
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "class_name": self.class_name,
            "key": self.key,
            "display": self.display,
            "probability": self.probability,
        }

    @classmethod
    def from_dict(cls, plain: object) -> Candidate:
        """The inverse of ``to_dict``; keys that it does not know are left out.

        Raises:
            RemoteError: a key is missing or has another type.
        """
        return read_candidate(plain, "the candidate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one photograph and several of one plant have in common.

    What names a disease (``class_name`` to ``probability``) is set for a diagnosis only, so that nobody acts
    on a guess by overlooking the verdict. The guess itself is the first of ``top``.

    Attributes:
        verdict: what may be said.
        reason: one sentence: why.
        hint: one sentence: what to do; may be empty.
        model: name of the model.
        model_hash: content hash of its bundle, or empty where there is none.
        class_name: the class in the words of the training data.
        key: the class in the taxonomy, such as ``tomato/early_blight``.
        crop: key of the crop.
        condition: key of the condition.
        display: the class for people.
        probability: calibrated, 0..1; within the crop when one was given.
        top: the most probable classes, most probable first; empty when the photograph is unreadable.
        possible: the conformal set: what cannot be excluded, most probable first.
        crop_given: key of the crop that the person named, or None.
        not_leaf_probability: of all classes that mean "no leaf", whatever crop was given.
        unfamiliarity: 0 at the centre of a known class, above 1 is unlike the training photographs;
            None where the model cannot say.
    """

    verdict: VerdictKind
    reason: str
    hint: str = ""
    model: str
    model_hash: str = ""
    class_name: str | None = None
    key: str | None = None
    crop: str | None = None
    condition: str | None = None
    display: str | None = None
    probability: float | None = None
    top: tuple[Candidate, ...] = ()
    possible: tuple[Candidate, ...] = ()
    crop_given: str | None = None
    not_leaf_probability: float | None = None
    unfamiliarity: float | None = None

    @property
    def is_diagnosis(self) -> bool:
        """Whether a condition is named."""
        return self.verdict == "diagnosis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction(Answer):
    """The answer for one photograph; the fields of ``Answer``, and what is known of this photograph.

    Attributes:
        quality: measures of room ``images``; empty when the photograph is unreadable.
        timing_ms: milliseconds per step; the network's time is that of its batch divided by its photographs.
        error: the error of an unreadable photograph as plain values, or None.
        heatmap: float32 ``[h, w]``, 0..1, over the whole upright photograph, for the first of ``top``;
            None when not asked for, not possible with this network, or the photograph is unreadable.
        embedding: float32 ``[d]``, what the network's head sees; for monitoring, never part of ``to_dict``.
            None where the predictor does not give it, or the photograph is unreadable.
        log_probabilities: float64 ``[c]``, calibrated, over all classes whatever crop was given, in the order
            of the bundle's labels; what ``combine`` needs. Never part of ``to_dict``; None as ``embedding``.
    """

    quality: Mapping[str, float] = field(default_factory=dict)
    timing_ms: Mapping[str, float] = field(default_factory=dict, compare=False)
    error: Mapping[str, Any] | None = None
    heatmap: np.ndarray | None = field(default=None, compare=False, repr=False)
    embedding: np.ndarray | None = field(default=None, compare=False, repr=False)
    log_probabilities: np.ndarray | None = field(default=None, compare=False, repr=False)

    @classmethod
    def unread(cls, error: LeafsightError, crop: str | None) -> Prediction:
        """What is said of a photograph that no model saw, because of ``error``; ``crop`` as it was given."""
        return cls(
            verdict="unreadable",
            reason=error.message,
            hint=error.hint,
            model="",
            crop_given=crop,
            error=error.as_dict(),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the heatmap as rows of numbers with four decimals."""
        plain = answer_to_plain(self)
        plain["quality"], plain["timing_ms"] = dict(self.quality), dict(self.timing_ms)
        plain["error"] = None if self.error is None else dict(self.error)
        plain["heatmap"] = None
        if self.heatmap is not None:
            plain["heatmap"] = [[round(float(value), 4) for value in row] for row in self.heatmap]
        return plain

    @classmethod
    def from_dict(cls, plain: object) -> Prediction:
        """The inverse of ``to_dict``; keys that it does not know are left out.

        Args:
            plain: what a JSON text held. A heatmap must be rows of numbers: a server's picture of it is taken
                out before.

        Raises:
            RemoteError: no object, a field of another type, a needed one is missing, or a condition is named
                without a diagnosis (and the other way round).
        """
        return cls(**read_answer(plain, _PREDICTION_READERS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined(Answer):
    """The answer for one plant; the fields of ``Answer``, and how many photographs it rests on.

    ``not_leaf_probability`` and ``top`` are of all used photographs together, ``unfamiliarity`` is the lower
    median of theirs. When none was used they are of those that give the verdict.

    Attributes:
        photographs: how many were sent.
        used: how many of them count; the others are unreadable, too blurred, or show no leaf.
    """

    photographs: int
    used: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**answer_to_plain(self), "photographs": self.photographs, "used": self.used}

    @classmethod
    def from_dict(cls, plain: object) -> Combined:
        """The inverse of ``to_dict``; keys that it does not know are left out.

        Raises:
            RemoteError: as ``Prediction.from_dict``, or more photographs were used than there are.
        """
        found = read_answer(plain, _COMBINED_READERS, needed=tuple(_COMBINED_READERS))
        if found["used"] > found["photographs"]:
            raise RemoteError(f"{found['used']} of {found['photographs']} photographs were used", hint=HINT)
        return cls(**found)


def read_candidate(plain: object, where: str) -> Candidate:
    """As ``Candidate.from_dict``; ``where`` names its place in an answer."""
    readers = {"class_name": text, "key": text, "display": text, "probability": share}
    return Candidate(**read_fields(plain, readers, needed=readers, where=where))


ANSWER_NAMES = tuple(one.name for one in fields(Answer))
NAMING = ("class_name", "key", "display", "probability")
"""Set together for a diagnosis and together None otherwise; so are crop and condition, where they exist."""

_ANSWER_READERS: dict[str, Reader] = {
    "verdict": one_of(VERDICTS),
    **dict.fromkeys(("reason", "hint", "model", "model_hash"), text),
    **dict.fromkeys(("class_name", "key", "crop", "condition", "display", "crop_given"), optional(text)),
    **dict.fromkeys(("probability", "not_leaf_probability"), optional(share)),
    **dict.fromkeys(("top", "possible"), many(read_candidate)),
    "unfamiliarity": optional(number),
}
_PREDICTION_READERS: dict[str, Reader] = {
    **dict.fromkeys(("quality", "timing_ms"), numbers),
    "error": optional(texts_and_numbers),
    "heatmap": optional(rows_of_numbers),
}
_COMBINED_READERS: dict[str, Reader] = {"photographs": count, "used": count}


def answer_to_plain(answer: Answer) -> dict[str, Any]:
    """The fields of ``Answer`` as plain values for JSON."""
    plain = {name: getattr(answer, name) for name in ANSWER_NAMES}
    plain["top"] = [one.to_dict() for one in answer.top]
    plain["possible"] = [one.to_dict() for one in answer.possible]
    return plain


def read_answer(plain: object, more: Mapping[str, Reader], *, needed: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields of ``Answer`` and ``more`` from plain values; ``needed`` of ``more`` must be there.

    Raises:
        RemoteError: as ``Prediction.from_dict``.
    """
    found = read_fields(plain, {**_ANSWER_READERS, **more}, needed=("verdict", "reason", "model", *needed))
    named = [name for name in (*NAMING, "crop", "condition") if found.get(name) is not None]
    if found["verdict"] != "diagnosis" and named:
        raise RemoteError(f"the answer says {found['verdict']!r} and yet gives a {named[0]!r}", hint=HINT)
    if found["verdict"] == "diagnosis" and not set(NAMING) <= set(named):
        missing = next(name for name in NAMING if name not in named)
        raise RemoteError(f"the answer is a diagnosis without a {missing!r}", hint=HINT)
    return found
