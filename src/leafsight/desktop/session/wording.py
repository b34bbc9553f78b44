"""How numbers and answers are said in the window: the very words of the web page.

Enters: answers, and numbers that may be missing. Leaves: plain English, never more certain than the number.
It knows no window. The web page says the same in ``words.js``, ``diagnose-phrases.js`` and
``diagnose-heat.js`` of room ``web``; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from math import floor, isfinite
from numbers import Real
from typing import TypeGuard

import numpy as np

from leafsight.desktop.session.language import figures, in_figures, is_english, named, numeric_date, tr, trn
from leafsight.errors import TaxonomyError
from leafsight.inference import Answer, Combined
from leafsight.taxonomy import find_class, find_crop

NOT_MEASURED = "not measured"
NOT_KNOWN = "not known"
SENTENCES = {
    "diagnosis": "A condition is named.",
    "cannot_tell": "The model cannot tell.",
    "not_a_leaf": "This does not look like a leaf.",
    "too_blurred": "The photograph is too blurred.",
    "unreadable": "The photograph cannot be read.",
}
VERDICT_NAMES = {
    "diagnosis": "Diagnosis",
    "cannot_tell": "Cannot tell",
    "not_a_leaf": "Not a leaf",
    "too_blurred": "Too blurred",
    "unreadable": "Unreadable",
}
CONFIDENCES = ((0.95, "very likely"), (0.8, "likely"), (0.5, "more likely than not"), (0.2, "possible"))
UNLIKELY = "unlikely"
UNITS = {"decimal": ("bytes", "kB", "MB", "GB", "TB"), "binary": ("bytes", "KiB", "MiB", "GiB", "TiB")}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec")
PLACES = (
    ("at the upper left", "in the upper middle", "at the upper right"),
    ("at the left", "in the middle", "at the right"),
    ("at the lower left", "in the lower middle", "at the lower right"),
)
MOST_NAMED = 5
# About one in a hundred leaf photographs of the public collections (docs/credits.md) lies outside each.
DULL, DARK, BRIGHT, FLAT = 24, 0.3, 0.75, 0.075
# Digits enough for the largest float, so that rounding never fails.
_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure, and where it lies with 95 % certainty as far as chance goes.

    Attributes:
        value: the figure.
        low, high: ends of the interval; None where there is none.
    """

    value: float
    low: float | None = None
    high: float | None = None


def percent(share: float | None, digits: int = 0) -> str:
    """A share as a percentage that never rounds to certainty, such as ``over 99 %`` for 0.999.

    Args:
        share: 0..1, or None where there is none.
        digits: after the point.
    """
    if not is_number(share):
        return tr(NOT_MEASURED)
    share, smallest = float(share), 10**-digits
    if share > 0 and share * 100 < smallest:
        return tr("under {share} %", share=fixed(smallest, digits))
    if share < 1 and 100 - share * 100 < smallest:
        return tr("over {share} %", share=fixed(100 - smallest, digits))
    return f"{fixed(share * 100, digits)} %"


def plain_confidence(probability: float | None) -> str:
    """What a calibrated probability, 0..1, means in words."""
    if not is_number(probability):
        return tr(NOT_KNOWN)
    return tr(next((word for least, word in CONFIDENCES if probability >= least), UNLIKELY))


def in_bytes(size: float | None) -> str:
    """A number of bytes in the units that are wanted, such as ``2.5 MB`` or ``2.4 MiB``."""
    if not is_number(size):
        return tr(NOT_KNOWN)
    unit, names = 0, UNITS[figures().sizes]
    step = 1000 if figures().sizes == "decimal" else 1024
    while size >= step and unit < len(names) - 1:
        size, unit = size / step, unit + 1
    if unit == 0:
        return tr("{size} bytes", size=str(_nearest(size)))
    return f"{_nearest(size) if size >= 100 else fixed(size, 1)} {names[unit]}"


def number(value: float | None, digits: int = 0) -> str:
    """A number in groups, such as ``12,345``; ``digits`` after the point."""
    if not is_number(value):
        return tr(NOT_MEASURED)
    # By its shortest decimals and not by its bits, as browsers round here: 1.005 becomes 1.01.
    return in_figures(f"{_rounded(Decimal(str(value)), digits):,f}")


def count(value: float | None, one: str, many: str | None = None) -> str:
    """``1 photograph``, ``3 photographs``; ``many`` where an s is not enough. Both are literals."""
    many = many or one + "s"
    if not is_number(value) or value != (whole := _nearest(value)):
        return f"{number(value)} {tr(many)}"
    return trn(f"{{number}} {one}", f"{{number}} {many}", whole)


def with_interval(measured: Measured | None, kind: str = "share") -> str:
    """A measure with its interval, such as ``96.5 % (95.0 to 98.0)``.

    Args:
        measured: None where nothing was measured.
        kind: ``share``, of 1, or ``number``.
    """
    if measured is None or not is_number(measured.value):
        return tr(NOT_MEASURED)

    def show(value: float) -> str:
        return fixed(value * 100, 1) if kind == "share" else number(value, 1)

    said = f"{show(measured.value)}{' %' if kind == 'share' else ''}"
    if not is_number(measured.low) or not is_number(measured.high):
        return said
    return tr("{figure} ({low} to {high})", figure=said, low=show(measured.low), high=show(measured.high))


def duration(milliseconds: float | None) -> str:
    """A length of time, such as ``12.3 s``."""
    if not is_number(milliseconds):
        return tr(NOT_MEASURED)
    if milliseconds < 1000:
        shown = fixed(milliseconds, 1) if milliseconds < 10 else _nearest(milliseconds)
        return f"{shown} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{fixed(seconds, 1)} s"
    if seconds < 3600:
        return f"{_nearest(seconds / 60)} min"
    if seconds < 86400:
        return f"{fixed(seconds / 3600, 1)} h"
    return count(_nearest(seconds / 86400), "day")


def when(milliseconds: float | None) -> str:
    """Milliseconds since 1970, UTC, as a date and time of this place: ``24 Nov 2026, 14:09``."""
    if not is_number(milliseconds):
        return tr(NOT_KNOWN)
    try:
        at = datetime.fromtimestamp(floor(milliseconds / 1000))
    except (ValueError, OverflowError, OSError):  # a server may send any number
        return tr(NOT_KNOWN)
    return date_and_time(at)


def date_and_time(at: datetime) -> str:
    """A moment of this place, as the person wants dates."""
    if figures().dates != "words":
        return numeric_date(at)
    return tr(
        "{day} {month} {year}, {time}",
        day=at.day,
        month=tr(MONTHS[at.month - 1]),
        year=at.year,
        time=f"{at:%H:%M}",
    )


def sentence(verdict: str) -> str:
    """A verdict as one sentence."""
    known = SENTENCES.get(verdict)
    return plain(verdict) if known is None else tr(known)


def verdict_name(verdict: str) -> str:
    """A verdict as a heading or the first cell of a row."""
    known = VERDICT_NAMES.get(verdict)
    return plain(verdict) if known is None else tr(known)


def plain(key: str | None) -> str:
    """A key such as ``early_blight`` in plain letters: ``Early blight``."""
    return upper((key or "").replace("_", " ").replace("/", ": ").strip())


def class_name(name: object) -> str:
    """A class as a collection spells it, ``Tomato___Early_blight``, for people.

    In English it stays as it is spelled; elsewhere by the name that the vocabulary knows, where it knows one.
    """
    spelled = "" if name is None else str(name)
    if spelled and not is_english():
        try:
            return named(find_class(spelled).display)
        except TaxonomyError:
            pass
    return spelled.replace("___", ": ").replace("_", " ").strip()


def crop_name(key: str) -> str:
    """A crop in a sentence."""
    if is_english():
        return plain(key).lower()
    try:
        return lower(named(find_crop(key).name))
    except TaxonomyError:
        return plain(key).lower()


def spoken(display: str) -> str:
    """``Tomato: early blight`` as it is said: ``early blight of tomato``, ``a healthy tomato leaf``."""
    crop, colon, condition = display.partition(": ")
    if not colon or not crop:
        return lower(named(display))
    if condition == "healthy":
        return tr("a healthy {crop} leaf", crop=lower(named(crop)))
    return tr("{condition} of {crop}", condition=named(condition), crop=lower(named(crop)))


def headline(answer: Answer) -> str:
    """The first line of an answer."""
    if answer.verdict != "diagnosis":
        return sentence(answer.verdict).removesuffix(".")
    crop, colon, condition = (answer.display or "").partition(": ")
    if colon and crop and condition == "healthy":
        return tr("Healthy {crop} leaf", crop=lower(named(crop)))
    return upper(spoken(answer.display or ""))


def sureness(answer: Answer) -> str:
    """How sure that is: ``likely, 83 %``; empty where nothing is named."""
    if answer.verdict != "diagnosis":
        return ""
    return f"{plain_confidence(answer.probability)}, {percent(answer.probability)}"


def also_possible(answer: Answer) -> str:
    """What cannot be excluded besides what is named, as one sentence; empty where there is nothing."""
    known = answer.class_name if answer.verdict == "diagnosis" else None
    others = [spoken(one.display) for one in answer.possible if one.class_name != known]
    if not others:
        return tr("Nothing else that the model knows is about as likely.") if known else ""
    listed = listed_or(others[:MOST_NAMED])
    if len(others) > MOST_NAMED:
        listed = tr("{list} and {more}", list=listed, more=count(len(others) - MOST_NAMED, "other"))
    if known:
        return tr("It could also be {conditions}.", conditions=listed)
    return tr("What cannot be excluded: {conditions}.", conditions=listed)


def plant_name(number: int, photographs: int) -> str:
    """``Plant 2, 3 photographs``."""
    return trn(
        "Plant {plant}, {number} photograph", "Plant {plant}, {number} photographs", photographs, plant=number
    )


def basis(combined: Combined) -> str:
    """What the answer of a plant rests on."""
    if combined.used == 0:
        return tr("None of the photographs could be used.")
    if combined.used == combined.photographs:
        return trn("Rests on all {number} photograph.", "Rests on all {number} photographs.", combined.used)
    return trn(
        "Rests on {used} of {number} photograph.",
        "Rests on {used} of {number} photographs.",
        combined.photographs,
        used=combined.used,
    )


def word_said(right: bool, display: str) -> str:
    """What a person said of an answer; ``display`` is the name of the class that they said."""
    if right:
        return tr("You said that this was right.")
    return tr("You said that it shows {condition}.", condition=spoken(display))


def quality_remarks(quality: Mapping[str, float] | None) -> str:
    """What about the photograph itself may stand in the way; empty where nothing does.

    Args:
        quality: measures of room ``images``; any may be missing.
    """
    known = {name: value for name, value in (quality or {}).items() if is_number(value)}
    found = []
    if (sharpness := known.get("sharpness", DULL)) < DULL:
        found.append(
            tr(
                "hardly sharp (sharpness {measured}; nearly all have more than {usual})",
                measured=fixed(sharpness, 0),
                usual=DULL,
            )
        )
    if (brightness := known.get("brightness", DARK)) < DARK:
        found.append(tr("dark (mean brightness {share})", share=percent(brightness)))
    if brightness > BRIGHT:
        found.append(tr("very bright (mean brightness {share})", share=percent(brightness)))
    if (contrast := known.get("contrast", FLAT)) < FLAT:
        found.append(tr("low in contrast ({share} of the range)", share=percent(contrast)))
    if not found:
        return ""
    return tr("The photograph is {remarks}; that can mislead the model.", remarks=listed_and(found))


def hottest_place(heatmap: np.ndarray) -> str | None:
    """Where it is hottest, in words; None when it is cold everywhere.

    Args:
        heatmap: float32 ``[h, w]``, 0 cold to 1 hot, over the whole upright photograph; a cell that is no
            number counts as cold.
    """
    warmth = np.nan_to_num(heatmap, nan=0.0)
    if not warmth.size or not warmth.max() > 0:
        return None
    if np.count_nonzero(warmth > warmth.max() / 2) > warmth.size / 2:
        return tr("all over the picture")
    (height, width), (row, column) = warmth.shape, divmod(int(warmth.argmax()), warmth.shape[1])
    return tr(PLACES[_third(row, height)][_third(column, width)])


def _third(at: int, size: int) -> int:
    return min(2, floor(3 * (at + 0.5) / size))


def listed_or(names: Sequence[str]) -> str:
    """``a, b or c``."""
    if len(names) < 2:
        return "".join(names)
    return tr("{first} or {last}", first=", ".join(names[:-1]), last=names[-1])


def listed_and(names: Sequence[str]) -> str:
    """``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return tr("{first} and {last}", first=", ".join(names[:-1]), last=names[-1])


def lower(text: str) -> str:
    """With a small letter at its beginning."""
    return text[:1].lower() + text[1:]


def upper(text: str) -> str:
    """With a capital at its beginning."""
    return text[:1].upper() + text[1:]


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite number."""
    return not isinstance(value, bool) and isinstance(value, Real) and isfinite(value)


def _rounded(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), context=_EXACT)


def fixed(value: float, digits: int, *, grouped: bool = False) -> str:
    """As ``toFixed`` of the browser: halves away from zero, where Python would take the even neighbour."""
    return in_figures(format(_rounded(Decimal(float(value)), digits), ",f" if grouped else "f"))


def _nearest(value: float) -> int:
    whole = floor(value)
    return whole + 1 if value - whole >= 0.5 else whole
