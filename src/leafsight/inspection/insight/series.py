"""What a figure shows, as plain data: five kinds, and one that has only words.

Enters: numbers that were computed elsewhere. Leaves: frozen records that a page, a window, a notebook or
matplotlib can draw. It does not know how any of them draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
from jaxtyping import Float32, Int64, UInt8


@dataclass(frozen=True, slots=True)
class Axis:
    """What a number means.

    Attributes:
        label: its name, such as ``brightness``.
        unit: ``%``, ``px`` or nothing.
        log: drawn in powers of ten.
        from_zero: the axis begins at 0.
    """

    label: str
    unit: str = ""
    log: bool = False
    from_zero: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        label: what it stands for.
        value: its length, in the unit of the axis.
        label_number: the class it stands for, ``None`` for anything else.
        note: what is said beside it when the value is not enough.
    """

    label: str
    value: float
    label_number: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """Horizontal bars, in the order they are drawn."""

    axis: Axis
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """How one measure is spread over the photographs of a class.

    Attributes:
        label: the class.
        label_number: its number; ``None`` for several classes folded into one.
        count: photographs that were measured.
        low, quarter, middle, upper_quarter, high: the values below which 5, 25, 50, 75 and 95 % of them lie.
        extremes: value and row of the photographs furthest out on both sides.
    """

    label: str
    label_number: int | None
    count: int
    low: float
    quarter: float
    middle: float
    upper_quarter: float
    high: float
    extremes: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Spreads:
    """One line a class, and the middle of the whole collection for comparison."""

    axis: Axis
    spreads: tuple[Spread, ...]
    middle: float


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """One dot a photograph, or one for all photographs at the same place.

    Attributes:
        x_axis, y_axis: what the places mean.
        x, y: places, in the units of the axes.
        rows: the photograph that stands for each dot.
        counts: photographs at each dot.
        by_class: dots carry the colour of their class.
    """

    x_axis: Axis
    y_axis: Axis
    x: Float32[np.ndarray, " dots"]
    y: Float32[np.ndarray, " dots"]
    rows: Int64[np.ndarray, " dots"]
    counts: Int64[np.ndarray, " dots"]
    by_class: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One small picture.

    Attributes:
        caption: what it is.
        pixels: RGB.
        label_number: its class, if it has one.
        row: the photograph, when it is one.
        note: a second, quieter line.
    """

    caption: str
    pixels: UInt8[np.ndarray, "side side 3"]
    label_number: int | None = None
    row: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """Small pictures in rows."""

    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """One number for each pair of classes.

    Attributes:
        axis: what the numbers mean.
        labels: the classes, for rows and columns alike.
        label_numbers: their numbers.
        values: the numbers, symmetric; NaN where there is none.
    """

    axis: Axis
    labels: tuple[str, ...]
    label_numbers: tuple[int, ...]
    values: Float32[np.ndarray, "classes classes"]


@dataclass(frozen=True, slots=True)
class Words:
    """Nothing can be drawn, and the answer says why."""


Series: TypeAlias = Bars | Spreads | Points | Tiles | Matrix | Words
KINDS: dict[type, str] = {
    Bars: "bars",
    Spreads: "spreads",
    Points: "points",
    Tiles: "tiles",
    Matrix: "matrix",
    Words: "words",
}


Say: TypeAlias = Callable[[str], str]
"""Gives a text in another language; ``str`` leaves it as it is."""


def in_words(series: Series, say: Say) -> Series:
    """The same, its axes and the notes of its pictures said in another language; names of classes stay."""
    changes: dict[str, object] = {}
    for one in fields(series):
        value = getattr(series, one.name)
        if isinstance(value, Axis):
            changes[one.name] = replace(value, label=say(value.label))
    if isinstance(series, Tiles):
        changes["tiles"] = tuple(replace(tile, note=say(tile.note)) for tile in series.tiles)
    return replace(series, **changes)  # type: ignore[arg-type]
