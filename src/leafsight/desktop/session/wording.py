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

from leafsight.desktop.session.language import tr, trn
from leafsight.inference import Answer, Combined

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
UNITS = ("bytes", "kB", "MB", "GB", "TB")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec")
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
        return NOT_MEASURED
    share, smallest = float(share), 10**-digits
    if share > 0 and share * 100 < smallest:
        return f"under {fixed(smallest, digits)} %"
    if share < 1 and 100 - share * 100 < smallest:
        return f"over {fixed(100 - smallest, digits)} %"
    return f"{fixed(share * 100, digits)} %"


def plain_confidence(probability: float | None) -> str:
    """What a calibrated probability, 0..1, means in words."""
    if not is_number(probability):
        return NOT_KNOWN
    return next((word for least, word in CONFIDENCES if probability >= least), "unlikely")


def in_bytes(size: float | None) -> str:
    """A number of bytes in decimal units, such as ``2.5 MB``."""
    if not is_number(size):
        return NOT_KNOWN
    unit = 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    whole = unit == 0 or size >= 100
    return f"{_nearest(size) if whole else fixed(size, 1)} {UNITS[unit]}"


def number(value: float | None, digits: int = 0) -> str:
    """A number in groups, such as ``12,345``; ``digits`` after the point."""
    if not is_number(value):
        return NOT_MEASURED
    # By its shortest decimals and not by its bits, as browsers round here: 1.005 becomes 1.01.
    return f"{_rounded(Decimal(str(value)), digits):,f}"


def count(value: float | None, one: str, many: str | None = None) -> str:
    """``1 photograph``, ``3 photographs``; ``many`` where an s is not enough."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def with_interval(measured: Measured | None, kind: str = "share") -> str:
    """A measure with its interval, such as ``96.5 % (95.0 to 98.0)``.

    Args:
        measured: None where nothing was measured.
        kind: ``share``, of 1, or ``number``.
    """
    if measured is None or not is_number(measured.value):
        return NOT_MEASURED

    def show(value: float) -> str:
        return fixed(value * 100, 1) if kind == "share" else number(value, 1)

    said = f"{show(measured.value)}{' %' if kind == 'share' else ''}"
    if not is_number(measured.low) or not is_number(measured.high):
        return said
    return f"{said} ({show(measured.low)} to {show(measured.high)})"


def duration(milliseconds: float | None) -> str:
    """A length of time, such as ``12.3 s``."""
    if not is_number(milliseconds):
        return NOT_MEASURED
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
        return NOT_KNOWN
    try:
        at = datetime.fromtimestamp(floor(milliseconds / 1000))
    except (ValueError, OverflowError, OSError):  # a server may send any number
        return NOT_KNOWN
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M}"


def sentence(verdict: str) -> str:
    """A verdict as one sentence."""
    return SENTENCES.get(verdict) or plain(verdict)


def verdict_name(verdict: str) -> str:
    """A verdict as a heading or the first cell of a row."""
    return VERDICT_NAMES.get(verdict) or plain(verdict)


def plain(key: str | None) -> str:
    """A key such as ``early_blight`` in plain letters: ``Early blight``."""
    return _upper((key or "").replace("_", " ").replace("/", ": ").strip())


def spoken(display: str) -> str:
    """``Tomato: early blight`` as it is said: ``early blight of tomato``, ``a healthy tomato leaf``."""
    crop, colon, condition = display.partition(": ")
    if not colon or not crop:
        return _lower(display)
    return f"a healthy {_lower(crop)} leaf" if condition == "healthy" else f"{condition} of {_lower(crop)}"


def headline(answer: Answer) -> str:
    """The first line of an answer."""
    if answer.verdict != "diagnosis":
        return sentence(answer.verdict).removesuffix(".")
    said = _upper(spoken(answer.display or ""))
    return "H" + said.removeprefix("A h") if said.startswith("A healthy") else said


def sureness(answer: Answer) -> str:
    """How sure that is: ``likely, 83 %``; empty where nothing is named."""
    if answer.verdict != "diagnosis":
        return ""
    return f"{plain_confidence(answer.probability)}, {percent(answer.probability)}"


def also_possible(answer: Answer) -> str:
    """What cannot be excluded besides what is named, as one sentence; empty where there is nothing."""
    named = answer.class_name if answer.verdict == "diagnosis" else None
    others = [spoken(one.display) for one in answer.possible if one.class_name != named]
    if not others:
        return "Nothing else that the model knows is about as likely." if named else ""
    rest = f" and {count(len(others) - MOST_NAMED, 'other')}" if len(others) > MOST_NAMED else ""
    start = "It could also be" if named else "What cannot be excluded:"
    return f"{start} {_listed(others[:MOST_NAMED])}{rest}."


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
        found.append(f"hardly sharp (sharpness {fixed(sharpness, 0)}; nearly all have more than {DULL})")
    if (brightness := known.get("brightness", DARK)) < DARK:
        found.append(f"dark (mean brightness {percent(brightness)})")
    if brightness > BRIGHT:
        found.append(f"very bright (mean brightness {percent(brightness)})")
    if (contrast := known.get("contrast", FLAT)) < FLAT:
        found.append(f"low in contrast ({percent(contrast)} of the range)")
    return f"The photograph is {_listed(found, 'and')}; that can mislead the model." if found else ""


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
        return "all over the picture"
    (height, width), (row, column) = warmth.shape, divmod(int(warmth.argmax()), warmth.shape[1])
    up = ("upper", "middle", "lower")[_third(row, height)]
    side = ("left", "middle", "right")[_third(column, width)]
    if up == "middle":
        return "in the middle" if side == "middle" else f"at the {side}"
    return f"in the {up} middle" if side == "middle" else f"at the {up} {side}"


def _third(at: int, size: int) -> int:
    return min(2, floor(3 * (at + 0.5) / size))


def _listed(names: Sequence[str], word: str = "or") -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite number."""
    return not isinstance(value, bool) and isinstance(value, Real) and isfinite(value)


def _rounded(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), context=_EXACT)


def fixed(value: float, digits: int) -> str:
    """As ``toFixed`` of the browser: halves away from zero, where Python would take the even neighbour."""
    return f"{_rounded(Decimal(float(value)), digits):f}"


def _nearest(value: float) -> int:
    whole = floor(value)
    return whole + 1 if value - whole >= 0.5 else whole
