"""Drawings of a search in SVG: its history, what mattered, one small drawing a key, the range tests.

Enters: numbers with names. Leaves: ``<svg>`` elements, each with a description in words. Axes may be
logarithmic, or a list of choices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leafsight.pages import Html, svg, tag

LEFT, TOP, FOOT = 62.0, 14.0, 46.0
WIDE, TALL = (560.0, 240.0), (270.0, 170.0)
TICKS = 5
ROUNDING = 1e-9
LONGEST_CHOICE = 12
Dot = tuple[float, float, str, str]
"""Place on both axes, class of the style, and what is said when it is pointed at."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From a value to a place 0..1.

    Attributes:
        name: below or beside it.
        low: at 0.
        high: at 1.
        log: whether equal factors take equal room.
        choices: names of the places 0, 1, 2, ... instead of a range.
        whole: whether only whole numbers are written at it.
    """

    name: str
    low: float
    high: float
    log: bool = False
    choices: tuple[str, ...] = ()
    whole: bool = False

    def at(self, value: float) -> float:
        """The place of a value, cut at both ends."""
        if self.log:
            share = math.log(max(value, 1e-300) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0)

    def ticks(self) -> list[tuple[float, str]]:
        """Places that are written at, with what is written."""
        if self.choices:
            return [(self.at(number), name) for number, name in enumerate(self.choices)]
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            if last > first:
                return [(self.at(10.0**power), f"1e{power}") for power in range(first, last + 1)]
        step = _round_step((self.high - self.low) / TICKS)
        step = max(step, 1.0) if self.whole else step
        first = math.ceil(self.low / step - ROUNDING)
        last = math.floor(self.high / step + ROUNDING)
        return [(self.at(number * step), f"{number * step:.4g}") for number in range(first, last + 1)]


def _round_step(least: float) -> float:
    """The next of 1, 2, 5, 10 times a power of ten."""
    unit = 10.0 ** math.floor(math.log10(least))
    return next(unit * step for step in (1.0, 2.0, 5.0, 10.0) if unit * step >= least * (1 - ROUNDING))


def spread(name: str, values: Sequence[float], *, whole: bool = False) -> Axis:
    """A linear axis that holds all values with some air around them."""
    low, high = min(values), max(values)
    air = (high - low) * 0.06 or 0.05 * max(abs(high), 0.2)
    return Axis(name, low - air, high + air, whole=whole)


def scatter(
    title: str, x: Axis, y: Axis, dots: Sequence[Dot], *, line: Sequence[tuple[float, float]] = (),
    size: tuple[float, float] = TALL,
) -> Html:  # fmt: skip
    """Dots over two axes, and maybe a line through some places.

    Args:
        title: of the drawing.
        x: below.
        y: beside.
        dots: what is shown.
        line: through these places, in order.
        size: of the field in CSS pixels.
    """
    width, height = size
    pieces = _frame(x, y, width, height)

    def place(across: float, up: float) -> tuple[float, float]:
        return LEFT + width * x.at(across), TOP + height * (1 - y.at(up))

    if line:
        path = " ".join(f"{left:.1f},{top:.1f}" for left, top in (place(*one) for one in line))
        pieces.append(tag("polyline", points=path, class_="line", style="stroke:var(--s0)"))
    for across, up, kind, said in dots:
        left, top = place(across, up)
        pieces.append(tag("circle", tag("title", said), cx=left, cy=top, r=4.5, class_=kind))
    words = "; ".join(said for *_, said in dots) or f"a line through {len(line)} places"
    return svg(LEFT + width + 20, TOP + height + FOOT, title, words, pieces)


def _frame(x: Axis, y: Axis, width: float, height: float) -> list[Html]:
    bottom = TOP + height
    pieces = []
    for share, name in y.ticks():
        level = bottom - height * share
        pieces += [
            tag("line", x1=LEFT, x2=LEFT + width, y1=level, y2=level, class_="grid"),
            tag("text", name, x=LEFT - 7, y=level + 4, text_anchor="end"),
        ]
    for share, name in x.ticks():
        short = name if len(name) <= LONGEST_CHOICE else f"{name[: LONGEST_CHOICE - 1]}…"
        across = LEFT + width * share
        pieces += [
            tag("line", x1=across, x2=across, y1=bottom, y2=bottom + 4, class_="axis"),
            tag("text", short, x=across, y=bottom + 18, text_anchor="middle"),
        ]
    middle = TOP + height / 2
    return [
        *pieces,
        tag("line", x1=LEFT, x2=LEFT + width, y1=bottom, y2=bottom, class_="axis"),
        tag("text", x.name, x=LEFT + width / 2, y=bottom + 38, text_anchor="middle", class_="ink"),
        tag("text", y.name, x=13, y=middle, text_anchor="middle", transform=f"rotate(-90 13 {middle:g})"),
    ]


def share_bars(shares: Mapping[str, float], title: str) -> Html:
    """Horizontal bars of shares 0..1 with their percentages."""
    left, width, step = 250.0, 300.0, 26.0
    pieces = []
    for index, (name, share) in enumerate(shares.items()):
        y = index * step
        pieces += [
            tag("text", name, x=left - 8, y=y + 17, text_anchor="end", class_="ink"),
            tag("rect", x=left, y=y + 4, width=width, height=17, rx=2, class_="track"),
            tag("rect", x=left, y=y + 4, width=max(width * share, 1.0), height=17, rx=2, class_="mark"),
            tag("text", f"{share:.0%}", x=left + width + 8, y=y + 17),
        ]
    said = "; ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return svg(left + width + 60, step * len(shares) + 6, title, said, pieces)
