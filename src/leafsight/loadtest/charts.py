"""Drawings of the load study in SVG: curves over rates, with their spread and with what failed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leafsight.pages import Html, join, svg, tag

LEFT, TOP, WIDTH, HEIGHT, FOOT, RIGHT = 66.0, 14.0, 460.0, 250.0, 46.0, 20.0
SERIES = 6
DASHES = (None, "7 3", "2 3", "9 3 2 3", "4 2", "1 4")
TICKS = 5
STANDALONE = """
svg { background:#fff; font:12px system-ui,sans-serif;
  --ink:#1c2420; --soft:#5a655f; --line:#d9ded9; --grid:#e9ece8; --bad:#b3402e; --card:#ffffff;
  --s0:#2b6e4f; --s1:#c25a12; --s2:#2a66ad; --s3:#8a4fa3; --s4:#9a7a00; --s5:#5a655f; }
text { fill:#5a655f; } text.ink { fill:#1c2420; } .grid { stroke:#e9ece8; } .axis { stroke:#d9ded9; }
.ideal { stroke:#5a655f; stroke-dasharray:4 4; } .line { fill:none; stroke-width:2.2; stroke-linejoin:round; }
.whisker { stroke-width:1.2; }
"""


@dataclass(frozen=True, slots=True)
class Dot:
    """One measured value.

    Attributes:
        x, y: of it.
        low, high: the spread from round to round; equal to ``y`` without any.
        mark: ``full``; ``hollow`` for over what is carried; ``cross`` for a load that failed; ``grey``
            for one that says nothing of the server.
        said: when it is pointed at.
    """

    x: float
    y: float
    low: float
    high: float
    mark: str = "full"
    said: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Several values in order.

    Attributes:
        name: in the key.
        dots: lowest x first.
        colour: number of the style.
        dash: number of the pattern; told apart on paper as well.
    """

    name: str
    dots: tuple[Dot, ...]
    colour: int
    dash: int


def curves(
    title: str, x_name: str, y_name: str, lines: Sequence[Line], *, log_y: bool = False,
    ideal: float = 0.0, y_high: float | None = None, x_ticks: Sequence[float] = (),
) -> Html:  # fmt: skip
    """Lines with dots and whiskers over a shared x from 0, and a key below.

    Args:
        title: said by screen readers.
        x_name: below.
        y_name: beside.
        lines: at most ``SERIES`` of them are drawn.
        log_y: equal factors take equal height.
        ideal: draw the line at which y is so many times x; 0 for none.
        y_high: top of the axis; found from the dots when not given.
        x_ticks: what is written below; steps of a fifth of the axis when not given.
    """
    shown = [line for line in lines if line.dots][:SERIES]
    dots = [one for line in shown for one in line.dots]
    x_high = _round_up(max((one.x for one in dots), default=1.0))
    highest = y_high or max((one.high for one in dots), default=1.0)
    y = _Log(dots) if log_y else _Linear(_round_up(highest))

    def place(across: float, up: float) -> tuple[float, float]:
        return LEFT + WIDTH * across / x_high, TOP + HEIGHT * (1 - y.at(up))

    ticks = x_ticks or [x_high * step / TICKS for step in range(TICKS + 1)]
    pieces = _frame(x_name, y_name, [(place(one, y.high)[0], _number(one)) for one in ticks], y)
    if ideal:
        end = min(x_high, y.high / ideal)
        (x1, y1), (x2, y2) = place(0, 0), place(end, ideal * end)
        pieces.append(tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="ideal"))
    for line in shown:
        pieces += _line(line, place)
    key, tall = _key(shown)
    said = "; ".join(f"{one.name}: from {one.dots[0].y:.3g} to {one.dots[-1].y:.3g}" for one in shown)
    return svg(LEFT + WIDTH + RIGHT, TOP + HEIGHT + FOOT + tall, title, said, [join(pieces), join(key)])


class _Linear:
    """From 0 to ``high``."""

    def __init__(self, high: float) -> None:
        self.high = high

    def at(self, value: float) -> float:
        """The place 0..1."""
        return min(max(value / self.high, 0.0), 1.0)

    def ticks(self) -> list[float]:
        """Values that are written."""
        return [self.high * step / TICKS for step in range(TICKS + 1)]


class _Log:
    """Over whole steps of 1, 2 and 5 that hold all dots."""

    def __init__(self, dots: Sequence[Dot]) -> None:
        values = [value for one in dots for value in (one.low, one.high) if value > 0] or [1.0]
        steps = [10.0**power * step for power in range(-3, 8) for step in (1, 2, 5)]
        self.low = max((one for one in steps if one <= min(values)), default=steps[0])
        self.high = min((one for one in steps if one >= max(values) and one > self.low), default=steps[-1])
        self._steps = [one for one in steps if self.low <= one <= self.high]

    def at(self, value: float) -> float:
        """The place 0..1, cut at both ends."""
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return min(share, 1.0)

    def ticks(self) -> list[float]:
        """Values that are written."""
        return self._steps


def _frame(x_name: str, y_name: str, x_ticks: Sequence[tuple[float, str]], y: _Linear | _Log) -> list[Html]:
    pieces, bottom = [], TOP + HEIGHT
    for value in y.ticks():
        level = bottom - HEIGHT * y.at(value)
        pieces += [
            tag("line", x1=LEFT, x2=LEFT + WIDTH, y1=level, y2=level, class_="grid"),
            tag("text", _number(value), x=LEFT - 7, y=level + 4, text_anchor="end"),
        ]
    pieces += [tag("text", said, x=across, y=bottom + 18, text_anchor="middle") for across, said in x_ticks]
    middle = TOP + HEIGHT / 2
    pieces += [
        tag("line", x1=LEFT, x2=LEFT + WIDTH, y1=bottom, y2=bottom, class_="axis"),
        tag("text", x_name, x=LEFT + WIDTH / 2, y=bottom + 38, text_anchor="middle"),
        tag("text", y_name, x=14, y=middle, text_anchor="middle", transform=f"rotate(-90 14 {middle:g})"),
    ]
    return pieces


def _line(line: Line, place: Callable[[float, float], tuple[float, float]]) -> list[Html]:
    colour, dots = f"var(--s{line.colour % SERIES})", line.dots
    points = " ".join("{:.1f},{:.1f}".format(*place(one.x, one.y)) for one in dots)
    pieces = [
        tag(
            "polyline",
            points=points,
            class_="line",
            style=f"stroke:{colour}",
            stroke_dasharray=DASHES[line.dash % SERIES],
        )
    ]
    for one in dots:
        across, up = place(one.x, one.y)
        ends = [place(one.x, end)[1] for end in (one.low, one.high)]
        pieces.append(
            tag(
                "line",
                x1=across,
                x2=across,
                y1=ends[0],
                y2=ends[1],
                class_="whisker",
                style=f"stroke:{colour}",
            )
        )
        pieces.append(_mark(across, up, one, colour))
    return pieces


def _mark(across: float, up: float, dot: Dot, colour: str) -> Html:
    said = tag("title", dot.said)
    if dot.mark == "cross":
        path = f"M{across - 5:.1f} {up - 5:.1f}l10 10m0 -10l-10 10"
        return tag("g", [said, tag("path", d=path, style="stroke:var(--bad);stroke-width:2.4;fill:none")])
    if dot.mark == "grey":
        colour = "var(--line)"
    fill = "var(--card)" if dot.mark == "hollow" else colour
    return tag("circle", said, cx=across, cy=up, r=4.0, style=f"fill:{fill};stroke:{colour};stroke-width:1.8")


def _key(lines: Sequence[Line]) -> tuple[list[Html], float]:
    """Which line is which, below the drawing: two in a row."""
    pieces, top = [], TOP + HEIGHT + FOOT + 8
    for number, line in enumerate(lines):
        left, up = LEFT + (number % 2) * WIDTH / 2, top + 18 * (number // 2)
        dash, stroke = DASHES[line.dash % SERIES], f"stroke:var(--s{line.colour % SERIES})"
        pieces += [
            tag(
                "line",
                x1=left,
                x2=left + 28,
                y1=up,
                y2=up,
                style=stroke,
                stroke_width=3,
                stroke_dasharray=dash,
            ),
            tag("text", line.name, x=left + 36, y=up + 4, class_="ink"),
        ]
    return pieces, 12 + 18 * math.ceil(len(lines) / 2)


def _round_up(highest: float) -> float:
    """The next of 1, 2, 2.5, 4, 5, 10 times a power of ten: five steps of it are numbers that people read."""
    unit = 10.0 ** math.floor(math.log10(max(highest, 1e-6)))
    return next(
        unit * step for step in (1.0, 1.5, 2.0, 2.5, 4.0, 5.0, 7.5, 10.0) if unit * step >= highest * 0.999
    )


def _number(value: float) -> str:
    return f"{value:.4g}"


def standalone(drawing: Html) -> str:
    """The drawing as a file of its own: with its name space, and the light style of the house inside."""
    text = str(drawing).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    at = text.index(">") + 1
    return f"{text[:at]}<style>{STANDALONE}</style>{text[at:]}\n"
