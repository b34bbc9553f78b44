"""Two models side by side: what differs, and what chance alone could make.

Enters: descriptions of two models. Leaves: rows of words; "better" and "worse" stand only where the 95 %
intervals do not overlap. The web page says the same in ``models-compare.js``; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leafsight.desktop.session.language import tr, trn
from leafsight.desktop.session.model_words import (
    MEASURES,
    Measure,
    Tested,
    abroad,
    at_home,
    fingerprint_of_test,
    known,
    measured,
)
from leafsight.desktop.session.wording import Measured, in_bytes, number, with_interval

if TYPE_CHECKING:
    from leafsight.client import ModelDescription

SHOWN_ABROAD = frozenset(
    {"accuracy", "crop_given_accuracy", "answered", "accuracy_answered", "macro_f1", "ece"}
)
SMALLEST_STEP = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, in words; ``good`` is None where nobody can tell."""

    words: str
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """One row of a comparison.

    Attributes:
        title: what is compared; the name of what follows where ``is_heading``.
        base: of the model that the other is held against.
        other: of the other.
        difference: of the other from it; None where there is nothing to say.
        is_heading: whether it only names the rows that follow.
    """

    title: str
    base: str = ""
    other: str = ""
    difference: Difference | None = None
    is_heading: bool = False


def difference(found: Measured, base: Measured | None, one: Measure) -> Difference:
    """How a figure differs from another; "may be chance" where their intervals overlap or one has none."""
    if base is None:
        return Difference(tr("nothing to compare with"))
    step = (found.value - base.value) * (100 if one.kind == "share" else 1)
    if abs(step) < SMALLEST_STEP:
        return Difference(tr("the same"))
    size = _step(step, one)
    if _overlap(found, base):
        return Difference(tr("{size}; may be chance", size=size))
    if not one.better:
        return Difference(size)
    good = (step > 0) == (one.better == "higher")
    said = tr("{size}: better", size=size) if good else tr("{size}: worse", size=size)
    return Difference(said, good)


def comparison(base: ModelDescription, other: ModelDescription) -> list[Compared]:
    """Every row: size, classes, what was measured at home and elsewhere."""
    rows = [
        Compared(
            tr("Size"),
            in_bytes(base.size_bytes),
            in_bytes(other.size_bytes),
            _sizes(base.size_bytes, other.size_bytes),
        ),
        _counted(len(known(base)[0]), len(known(other)[0])),
        Compared(tr("On photographs like those of training"), is_heading=True),
        *_group(at_home(base), at_home(other), lambda one: True),
    ]
    names = dict.fromkeys(one.name for model in (base, other) for one in abroad(model))
    for name in names:
        rows.append(Compared(tr("On photographs from elsewhere: {name}", name=name), is_heading=True))
        pair = [next((one for one in abroad(model) if one.name == name), None) for model in (base, other)]
        rows += _group(pair[0], pair[1], lambda one: one.key in SHOWN_ABROAD)
    return rows


def same_test(base: ModelDescription, other: ModelDescription) -> tuple[str, bool]:
    """Whether both were tested on the same photographs: in words, and whether that is so."""
    prints = [fingerprint_of_test(base), fingerprint_of_test(other)]
    if None not in prints and prints[0] == prints[1]:
        return tr("Both were tested on the same photographs."), True
    caution = tr("A difference may come from the photographs and not from the models.")
    if None in prints:
        said = tr("It is not known whether these models were tested on the same photographs.")
    else:
        said = tr("These models were tested on different photographs.")
    return f"{said} {caution}", False


def class_differences(base: ModelDescription, other: ModelDescription) -> list[str]:
    """What one of them can name and the other cannot."""
    ours, theirs = known(base)[0], known(other)[0]
    more = [name for key, name in theirs.items() if key not in ours]
    fewer = [name for key, name in ours.items() if key not in theirs]
    said = []
    if more:
        said.append(tr("It can also name: {names}.", names="; ".join(more)))
    if fewer:
        said.append(tr("It cannot name: {names}.", names="; ".join(fewer)))
    return said or [tr("Both can name the same conditions.")]


def _group(base: Tested | None, other: Tested | None, shown: Callable[[Measure], bool]) -> Sequence[Compared]:
    photos = [number(None if one is None else one.photos) for one in (base, other)]
    rows = [Compared(tr("Photographs"), photos[0], photos[1])]
    for one in MEASURES:
        if not shown(one):
            continue
        ours, theirs = measured(base, one.key), measured(other, one.key)
        rows.append(
            Compared(
                tr(one.title),
                with_interval(ours, one.kind),
                with_interval(theirs, one.kind),
                None if theirs is None else difference(theirs, ours, one),
            )
        )
    return rows


def _overlap(one: Measured, other: Measured) -> bool:
    """Two intervals that overlap do not show a difference; two that do not, do."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return True
    return one.low <= other.high and other.low <= one.high


def _step(step: float, one: Measure) -> str:
    size = number(abs(step), 1)
    if one.kind == "share":
        return tr("{size} points higher", size=size) if step > 0 else tr("{size} points lower", size=size)
    return tr("{size} higher", size=size) if step > 0 else tr("{size} lower", size=size)


def _sizes(base: int | None, other: int | None) -> Difference | None:
    if base is None or other is None:
        return None
    if base == other:
        return Difference(tr("the same"))
    size = in_bytes(abs(other - base))
    return Difference(tr("{size} larger", size=size) if other > base else tr("{size} smaller", size=size))


def _counted(base: int, other: int) -> Compared:
    if base == other:
        said = tr("as many")
    elif other > base:
        said = trn("{number} more", "{number} more", other - base)
    else:
        said = trn("{number} fewer", "{number} fewer", base - other)
    return Compared(tr("Conditions it can name"), number(base), number(other), Difference(said))
