"""Figures as HTML that needs no script to be read: bars, spreads, a matrix, small pictures.

Positions are percentages, so that a drawing fits any width and its words keep their size. A photograph is
marked with ``data-photo``, a class with ``data-class``; the script of the page finds both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from leafsight.inspection.insight.figure import jpeg_url
from leafsight.inspection.insight.phrases import number, visible, with_unit
from leafsight.inspection.insight.scales import ticks
from leafsight.inspection.insight.series import Axis, Bars, Matrix, Spread, Spreads, Tiles
from leafsight.pages import Html, folded, join, svg, table, tag

PhotoOf: TypeAlias = Mapping[int, int]
"""Row of the material to number of the photograph in the page."""


def bars(series: Bars) -> tuple[Html, Html]:
    """A line a bar, the number beside it; and a table."""
    highest = max((bar.value for bar in series.bars), default=0.0) or 1.0
    lines = []
    for bar in series.bars:
        said = bar.note or f"{bar.value:,.0f}"
        # The number needs room to the right of the longest bar.
        wide = f"width:{86 * bar.value / highest:.2f}%"
        soft = "bar folded" if bar.note else "bar"
        plot = tag("span", [tag("span", "", class_=soft, style=wide), tag("b", said)], class_="plot barred")
        lines.append(_line(bar.label, bar.label_number, plot))
    rows = [(bar.label, bar.note or f"{bar.value:,.0f}") for bar in series.bars]
    numbers = table(("", _axis_name(series.axis)), rows, "The numbers", numeric=(1,))
    return tag("div", lines, class_="lines"), folded("As a table", numbers)


def spreads(series: Spreads, photo_of: PhotoOf, words: str) -> tuple[Html, Html]:
    """A line a class: nine in ten photographs, the middle half, the middle, extremes as dots; and a table."""
    low, high = _ends(series)

    def place(value: float) -> float:
        if series.axis.log:
            value, first, last = (float(np.log(max(one, low))) for one in (value, low, high))
        else:
            first, last = low, high
        return 100 * (value - first) / (last - first) if last > first else 50.0

    lines = [_spread(one, place, photo_of, series.axis) for one in series.spreads]
    grid = [tag("span", "", class_="middle", style=_left(place(series.middle)))]
    grid += [
        tag(
            "span",
            tag("i", number(value)),
            class_="end" if place(value) > 94 else "tick",
            style=_left(place(value)),
        )
        for value in ticks(low, high, log=series.axis.log)
    ]
    drawn = tag(
        "div",
        [tag("div", grid, class_="grid-of-lines", aria_hidden="true"), *lines],
        class_="lines spread",
        tabindex="0",
        role="group",
        aria_label=f"{words} Arrow keys go from one extreme photograph to the next.",
    )
    key = (
        f"{_axis_name(series.axis)}. Light bar: nine photographs in ten. Dark bar: half of them. Line: "
        "the middle one. Dots: the most extreme photographs. Dashed: the middle of the whole collection."
    )
    head = ("", "photographs", "5 %", "25 %", "middle", "75 %", "95 %")
    rows = [(one.label, f"{one.count:,}", *(number(value) for value in _five(one))) for one in series.spreads]
    numbers = folded("As a table", table(head, rows, _axis_name(series.axis), numeric=range(1, 7)))
    return join([drawn, tag("p", key, class_="key-line soft")]), numbers


def _left(percent: float) -> str:
    return f"left:{percent:.2f}%"


def _five(one: Spread) -> tuple[float, float, float, float, float]:
    return one.low, one.quarter, one.middle, one.upper_quarter, one.high


def _spread(one: Spread, place: Callable[[float], float], photo_of: PhotoOf, axis: Axis) -> Html:
    at = [place(value) for value in _five(one)]
    pieces = [
        tag("span", "", class_="most", style=f"left:{at[0]:.2f}%;width:{at[4] - at[0]:.2f}%"),
        tag("span", "", class_="half", style=f"left:{at[1]:.2f}%;width:{at[3] - at[1]:.2f}%"),
        tag("span", "", class_="mid", style=_left(at[2])),
    ]
    pieces += [
        tag(
            "i",
            "",
            class_="dot",
            data_photo=photo_of.get(row),
            data_value=f"{axis.label} {with_unit(number(value), axis.unit)}",
            style=_left(place(value)),
        )
        for value, row in one.extremes
    ]
    return _line(one.label, one.label_number, tag("span", pieces, class_="plot"))


def _line(label: str, label_number: int | None, plot: Html) -> Html:
    name = tag("span", tag("bdi", label), class_="name", title=label)
    return tag("div", [name, plot], class_="line-of", data_class=label_number)


def _ends(series: Spreads) -> tuple[float, float]:
    values = [value for one in series.spreads for value in _five(one)]
    values += [value for one in series.spreads for value, _ in one.extremes]
    if series.axis.log:
        above = [value for value in values if value > 0]
        return (min(above), max(above)) if above else (1.0, 10.0)
    low, high = (0.0 if series.axis.from_zero else min(values)), max(values)
    margin = (high - low) * 0.02
    return (low if series.axis.from_zero else low - margin), high + margin


def matrix(series: Matrix, words: str) -> tuple[Html, Html]:
    """Rows and columns are classes; the stronger, the larger the number; and a table."""
    count = len(series.labels)
    cell, margin = (26.0 if count <= 20 else 19.0), 206.0
    finite = series.values[np.isfinite(series.values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    pieces = []
    for row in range(count):
        y = row * cell
        said = visible(series.labels[row], 26)
        name = tag("text", said, x=margin - 8, y=y + cell * 0.68, text_anchor="end", class_="ink")
        pieces.append(tag("g", name, data_class=series.label_numbers[row]))
        for column in range(count):
            value = float(series.values[row, column])
            shade = 0.06 + 0.94 * (value - low) / (high - low) if high > low else 0.5
            pair = f"{series.labels[row]} – {series.labels[column]}: {number(value)} {series.axis.unit}"
            pieces.append(
                tag(
                    "rect",
                    tag("title", pair),
                    x=margin + column * cell,
                    y=y,
                    width=cell - 1,
                    height=cell - 1,
                    fill_opacity=shade,
                    class_="cell own" if row == column else "cell",
                    data_said=pair,
                )
            )
    drawn = svg(margin + count * cell + 4, count * cell + 4, _axis_name(series.axis), words, pieces)
    scale = (
        f"{_axis_name(series.axis)}: faintest {number(low)}, strongest {number(high)}. Columns stand in the "
        "order of the rows; the outlined diagonal is a class against itself."
    )
    rows = [
        (label, *(number(float(value)) for value in line))
        for label, line in zip(series.labels, series.values, strict=True)
    ]
    numbers = table(("", *series.labels), rows, _axis_name(series.axis), numeric=range(1, count + 1))
    boxed = tag(
        "div", drawn, class_="scroll", tabindex="0", role="region", aria_label=_axis_name(series.axis)
    )
    return join([boxed, tag("p", scale, class_="key-line soft")]), folded("As a table", numbers)


def tiles(series: Tiles, photo_of: PhotoOf) -> Html:
    """Small pictures with their captions."""
    items = []
    for one in series.tiles:
        alt = f"{one.caption}, {one.note}" if one.note else one.caption
        image = tag("img", src=jpeg_url(one.pixels), alt=alt, width=64, height=64)
        words = [tag("bdi", breakable(one.caption), title=one.caption), tag("small", one.note)]
        photo = None if one.row is None else photo_of.get(one.row)
        stop = {"tabindex": "0"} if photo is not None else {}
        items.append(tag("li", [image, *words], data_class=one.label_number, data_photo=photo, **stop))
    return tag("ul", items, class_="tiles-of")


def breakable(name: str) -> list[str]:
    """The name with places where a line may end: after underscores, which browsers do not break at."""
    pieces = re.split(r"(?<=_)(?=[^_])", name)
    return [pieces[0], *(part for piece in pieces[1:] for part in (Html("<wbr>"), piece))]


def _axis_name(axis: Axis) -> str:
    said = f"{axis.label} in {axis.unit}" if axis.unit else axis.label
    return said[:1].upper() + said[1:]


def legend(classes: Sequence[str], apart: Sequence[int], rest: int) -> Html:
    """Buttons for the classes that have a colour of their own."""
    buttons = [
        tag(
            "button",
            [tag("span", "", class_=f"swatch k{place}", aria_hidden="true"), tag("bdi", classes[label])],
            type="button",
            data_choose=label,
            aria_pressed="false",
        )
        for place, label in enumerate(apart)
    ]
    more = [tag("span", f"grey: {rest} more", class_="soft")] if rest else []
    return tag("div", [*buttons, *more], class_="legend")
