"""Drawings in SVG: each takes numbers and gives one ``<svg>`` with a title and a description in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leafsight.evaluation.interval import Interval, wilson
from leafsight.evaluation.reliability import ReliabilityBin
from leafsight.pages import Html, join, svg, tag

SERIES = 6  # colours in the style; further lines are left to the table
DASHES = (None, "7 3", "2 3", "9 3 2 3", "4 2", "1 4")  # told apart without colour, on paper as well
Point = tuple[float, float]


def bar(interval: Interval, *, width: float = 120.0) -> Html:
    """A share 0..1 as a bar with its interval; for table cells, where the number stands beside."""
    if not np.isfinite(interval.value):
        return Html("")
    pieces = [
        tag("rect", x=0, y=3, width=width, height=8, rx=2, class_="track"),
        tag("rect", x=0, y=3, width=max(interval.value * width, 0.5), height=8, rx=2, class_="mark"),
        tag("line", x1=interval.low * width, x2=interval.high * width, y1=7, y2=7, class_="whisker"),
    ]
    ends = (interval.low * width, interval.high * width)
    pieces += [tag("line", x1=x, x2=x, y1=4, y2=10, class_="whisker") for x in ends]
    return tag("svg", pieces, width=width, height=14, viewBox=f"0 0 {width:g} 14", aria_hidden="true")


def _frame(
    left: float,
    top: float,
    width: float,
    height: float,
    x_name: str,
    y_name: str,
    y_high: float,
    x_high: float = 1.0,
) -> list[Html]:
    """Grid, numbers and names of two axes that start at 0."""
    pieces = []
    for step in range(6):
        x, y = left + width * step / 5, top + height * (1 - step / 5)
        pieces += [
            tag("line", x1=left, x2=left + width, y1=y, y2=y, class_="grid"),
            tag("text", _tick(y_high * step / 5, y_high), x=left - 8, y=y + 4, text_anchor="end"),
            tag("text", _tick(x_high * step / 5, x_high), x=x, y=top + height + 18, text_anchor="middle"),
        ]
    middle = top + height / 2
    pieces += [
        tag("line", x1=left, x2=left + width, y1=top + height, y2=top + height, class_="axis"),
        tag("text", x_name, x=left + width / 2, y=top + height + 38, text_anchor="middle"),
        tag("text", y_name, x=14, y=middle, text_anchor="middle", transform=f"rotate(-90 14 {middle:g})"),
    ]
    return pieces


def _round_up(highest: float) -> float:
    """The next of 1, 2, 2.5, 5, 10 times a power of ten: five steps of it are numbers that people read."""
    unit = 10.0 ** np.floor(np.log10(max(highest, 1e-6)))
    return float(next(unit * step for step in (1.0, 2.0, 2.5, 5.0, 10.0) if unit * step >= highest * 0.999))


def _tick(value: float, highest: float) -> str:
    if highest >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}" if highest >= 0.5 else f"{value:.3f}".rstrip("0").rstrip(".")


def reliability_diagram(bins: Sequence[ReliabilityBin]) -> Html:
    """Accuracy against confidence with Wilson intervals, and below how many photographs stand there."""
    left, top, side, under = 54.0, 12.0, 300.0, 60.0
    pieces = _frame(left, top, side, side, "", "share that is right", 1.0)
    pieces.append(tag("line", x1=left, y1=top + side, x2=left + side, y2=top, class_="ideal"))
    filled = [entry for entry in bins if entry.photos]
    most = max(entry.photos for entry in filled)
    foot = top + side + 30 + under
    for entry in filled:
        x, y = left + side * entry.confidence, top + side * (1 - entry.accuracy)
        ends = wilson(entry.accuracy * entry.photos, entry.photos)
        low, high = (top + side * (1 - float(end)) for end in ends)
        ideal = top + side * (1 - entry.confidence)
        tall = max(under * entry.photos / most, 1.0)
        wide = side * (entry.high - entry.low) - 2
        said = f"confidence {entry.confidence:.2f}, right {entry.accuracy:.2f}, {entry.photos} photographs"
        dot = tag("circle", tag("title", said), cx=x, cy=y, r=4.5, class_="mark")
        pieces += [
            tag("line", x1=x, x2=x, y1=y, y2=ideal, class_="gap"),
            tag("line", x1=x, x2=x, y1=low, y2=high, class_="whisker"),
            dot,
            tag("rect", x=left + side * entry.low + 1, y=foot - tall, width=wide, height=tall, class_="mark"),
        ]
    pieces.append(tag("line", x1=left, x2=left + side, y1=foot, y2=foot, class_="axis"))
    pieces.append(
        tag(
            "text",
            "confidence (above) and photographs (bars)",
            x=left + side / 2,
            y=foot + 18,
            text_anchor="middle",
        )
    )
    said = "; ".join(f"confidence {e.confidence:.2f}: {e.accuracy:.2f} right of {e.photos}" for e in filled)
    return svg(left + side + 20, foot + 28, "Reliability diagram", said, pieces)


def line_chart(
    lines: Sequence[tuple[str, Sequence[Point]]],
    title: str,
    x_name: str,
    y_name: str,
    *,
    y_high: float | None = None,
) -> Html:
    """Several lines over a shared x; colours and dashes as in ``line_key``."""
    left, top, width, height = 58.0, 12.0, 400.0, 260.0
    shown = [(name, points) for name, points in lines if points][:SERIES]
    x_high = max((x for _, points in shown for x, _ in points), default=1.0)
    x_high = 1.0 if x_high <= 1.0 else 5.0 * np.ceil(x_high / 5.0)  # epochs: five steps of whole numbers
    highest = _round_up(max((y for _, points in shown for _, y in points), default=1.0))
    pieces = _frame(left, top, width, height, x_name, y_name, highest, x_high)
    for number, (_, points) in enumerate(shown):
        path = " ".join(
            f"{left + width * x / x_high:.1f},{top + height * (1 - y / highest):.1f}" for x, y in points
        )
        pieces.append(
            tag(
                "polyline",
                points=path,
                class_="line",
                style=f"stroke:var(--s{number})",
                stroke_dasharray=DASHES[number],
            )
        )
    said = "; ".join(f"{name}: from {points[0][1]:.3g} to {points[-1][1]:.3g}" for name, points in shown)
    return svg(left + width + 16, top + height + 48, title, said, pieces)


def line_key(names: Sequence[str]) -> Html:
    """Which line is which."""
    entries = []
    for number, name in enumerate(names[:SERIES]):
        stroke = f"stroke:var(--s{number})"
        dash = tag(
            "line", x1=0, x2=30, y1=6, y2=6, style=stroke, stroke_width=3, stroke_dasharray=DASHES[number]
        )
        entries.append(tag("li", [tag("svg", dash, width=30, height=12, aria_hidden="true"), name]))
    return tag("ul", entries, class_="key")


def confusion_heatmap(matrix: np.ndarray, names: Sequence[str], *, labelled: bool) -> Html:
    """Row the truth, column the answer, shade the share of the row; mistakes in another colour.

    Args:
        matrix: int[c, c].
        names: of the classes.
        labelled: write names and counts; otherwise a compact field whose cells say them when pointed at.
    """
    c = len(names)
    cell = 26.0 if labelled else max(4.0, min(12.0, 620.0 / c))
    longest = max(len(name) for name in names)
    margin = min(6.4 * longest + 14, 260.0) if labelled else 8.0
    side = cell * c
    support = np.maximum(matrix.sum(axis=1), 1)
    pieces = [tag("rect", x=margin, y=margin, width=side, height=side, class_="field")]
    for row, column in zip(*np.nonzero(matrix), strict=True):
        count = int(matrix[row, column])
        share = count / support[row]
        said = tag("title", f"{names[row]} called {names[column]}: {count} of {support[row]}")
        x, y = margin + column * cell, margin + row * cell
        kind = "cell" if row == column else "cell off"
        # A single mistake among hundreds must still be seen: shades start at 0.3.
        shade = float(0.3 + 0.7 * share)
        pieces.append(
            tag(
                "rect", said, x=float(x), y=float(y), width=cell, height=cell, class_=kind, fill_opacity=shade
            )
        )
        if labelled:
            ink = "fill:var(--page)" if shade > 0.6 else "fill:var(--ink)"
            across, down = float(x + cell / 2), float(y + cell / 2 + 4)
            pieces.append(tag("text", str(count), x=across, y=down, text_anchor="middle", style=ink))
    if labelled:
        pieces += _confusion_names(names, margin, cell)
    summary = f"{c} classes; {int(np.trace(matrix))} of {int(matrix.sum())} photographs on the diagonal"
    return svg(margin + side + 8, margin + side + 8, "Confusion matrix", summary, pieces)


def _confusion_names(names: Sequence[str], margin: float, cell: float) -> list[Html]:
    pieces = []
    for index, name in enumerate(names):
        short = name if len(name) <= 40 else name[:39] + "…"
        at = margin + index * cell + cell / 2
        pieces.append(tag("text", short, x=margin - 6, y=at + 4, text_anchor="end", class_="ink"))
        turned = f"rotate(-90 {at + 4:g} {margin - 6:g})"
        pieces.append(tag("text", short, x=at + 4, y=margin - 6, transform=turned, class_="ink"))
    return pieces


def coverage_chart(rows: Sequence[tuple[str, Interval]], promised: float) -> Html:
    """Dots with intervals for shares 0..1, one row a name, and a line at what was promised."""
    left, width, step, top = 270.0, 420.0, 20.0, 26.0
    height = step * len(rows)
    at = left + width * promised
    pieces = [
        tag("line", x1=at, x2=at, y1=top - 6, y2=top + height, class_="ideal"),
        tag("text", f"promised {promised:.2f}", x=at, y=top - 12, text_anchor="middle"),
    ]
    for index, (name, interval) in enumerate(rows):
        y = top + step * (index + 0.5)
        short = name if len(name) <= 40 else name[:39] + "…"
        colour = "bad" if interval.high < promised else "mark"
        low, high = left + width * interval.low, left + width * interval.high
        pieces += [
            tag("line", x1=left, x2=left + width, y1=y, y2=y, class_="grid"),
            tag("text", short, x=left - 10, y=y + 4, text_anchor="end", class_="ink"),
            tag("line", x1=low, x2=high, y1=y, y2=y, class_="whisker"),
            tag("circle", cx=left + width * interval.value, cy=y, r=4, class_=colour),
            tag("text", f"{interval.value:.2f}", x=left + width + 10, y=y + 4),
        ]
    said = "; ".join(f"{name} {interval.value:.2f}" for name, interval in rows)
    return svg(left + width + 50, top + height + 8, "Coverage by class", said, [join(pieces)])


def count_bars(counts: Sequence[tuple[str, int]], title: str) -> Html:
    """Horizontal bars with their counts."""
    left, width, step = 150.0, 260.0, 24.0
    most = max((count for _, count in counts), default=1) or 1
    pieces = []
    for index, (name, count) in enumerate(counts):
        y = index * step
        pieces += [
            tag("text", name, x=left - 8, y=y + 16, text_anchor="end", class_="ink"),
            tag(
                "rect",
                x=left,
                y=y + 4,
                width=max(width * count / most, 1.0 if count else 0.0),
                height=16,
                rx=2,
                class_="mark",
            ),
            tag("text", f"{count:,}", x=left + width * count / most + 8, y=y + 16),
        ]
    said = "; ".join(f"{name}: {count}" for name, count in counts)
    return svg(left + width + 70, step * len(counts) + 4, title, said, pieces)
