"""How numbers, sizes of files and dates are written: by the language, and by what a person wants.

Enters: English figures such as ``12,345.6``. Leaves: the same in the way of a language, ``12 345,6``. It does
not know what is counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Sizes = Literal["decimal", "binary"]
SIZES: tuple[Sizes, ...] = ("decimal", "binary")
Dates = Literal["words", "iso", "day-first", "month-first"]
DATES: tuple[Dates, ...] = ("words", "iso", "day-first", "month-first")
FIGURE_ALONE = re.compile(r"[+\u2212-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?([ \u00a0]?%)?")
"""Of a share, too: its sign stays where it is."""
SWAPPED = str.maketrans({",": "\0", ".": "\1"})


@dataclass(frozen=True, slots=True)
class Figures:
    """How they are written.

    Attributes:
        decimal: between a whole number and its fraction.
        thousands: between groups of three digits.
        sizes: files in MB of 1,000,000 bytes, or in MiB of 1,048,576.
        dates: ``24 Nov 2026, 14:09`` in the words of the language; ``2026-11-24 14:09``;
            ``24/11/2026 14:09``; or ``11/24/2026 2:09 PM``.
    """

    decimal: str = "."
    thousands: str = ","
    sizes: Sizes = "decimal"
    dates: Dates = "words"


FIGURES = Figures()
_chosen = FIGURES


class Shown(str):
    """A number that is written as it is wanted already."""

    __slots__ = ()


def use_figures(wanted: Figures) -> None:
    """From now on."""
    global _chosen
    _chosen = wanted


def figures() -> Figures:
    """What is wanted."""
    return _chosen


def in_figures(number: str) -> str:
    """A number that is written in English, such as ``12,345.6``, as it is wanted."""
    swapped = number.translate(SWAPPED)
    return Shown(swapped.replace("\0", _chosen.thousands).replace("\1", _chosen.decimal))


def value_in_figures(value: object) -> object:
    """The same for a value in a sentence, where it is a number and nothing else."""
    if isinstance(value, bool | Shown):
        return value
    if isinstance(value, int | float):
        return in_figures(str(value))
    if isinstance(value, str) and FIGURE_ALONE.fullmatch(value):
        return in_figures(value)
    return value


def numeric_date(at: datetime) -> str:
    """A date and time in digits, where the words of a language are not wanted."""
    if _chosen.dates == "day-first":
        return f"{at:%d/%m/%Y %H:%M}"
    if _chosen.dates == "month-first":
        return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'}"
    return f"{at:%Y-%m-%d %H:%M}"
