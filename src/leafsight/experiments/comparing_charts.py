"""Differences with intervals around a line at zero, drawn in SVG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leafsight.evaluation import Interval
from leafsight.pages import Html, svg, tag

LONGEST_NAME = 22
LEFT, WIDTH, STEP, TOP = 165.0, 190.0, 22.0, 24.0  # narrow, so that a phone need not shrink it much


def difference_chart(rows: Sequence[tuple[str, Interval]], title: str) -> Html:
    """Dots with intervals, one row a name; red where surely below zero, green where surely above.

    Args:
        rows: names and differences of shares, -1..1; shown in points of percent.
        title: said by screen readers.
    """
    reach = max((abs(end) for _, one in rows for end in (one.low, one.high) if np.isfinite(end)), default=0.0)
    reach = max(reach, 0.01)
    middle, height = LEFT + WIDTH / 2, STEP * len(rows)

    def at(value: float) -> float:
        return float(middle + WIDTH / 2 * value / reach)

    pieces = [tag("line", x1=middle, x2=middle, y1=TOP - 4, y2=TOP + height, class_="ideal")]
    for end in (-reach, 0.0, reach):
        label = f"{100 * end:+.0f}" if end else "0"
        pieces.append(tag("text", label, x=at(end), y=TOP - 10, text_anchor="middle"))
    for number, (name, one) in enumerate(rows):
        y = TOP + STEP * (number + 0.5)
        short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
        kind = "bad" if one.high < 0 else "mark" if one.low > 0 else "track"
        dot = tag("title", f"{name}: {100 * one.value:+.1f} points")
        pieces += [
            tag("line", x1=LEFT, x2=LEFT + WIDTH, y1=y, y2=y, class_="grid"),
            tag("text", short, x=LEFT - 10, y=y + 4, text_anchor="end", class_="ink"),
            tag("line", x1=at(one.low), x2=at(one.high), y1=y, y2=y, class_="whisker"),
            tag("circle", dot, cx=at(one.value), cy=y, r=4.5, class_=kind, stroke="var(--ink)"),
            tag("text", f"{100 * one.value + 0.0:+.1f}", x=LEFT + WIDTH + 10, y=y + 4),
        ]
    said = "; ".join(f"{name} {100 * one.value:+.1f} points" for name, one in rows)
    return svg(LEFT + WIDTH + 50, TOP + height + 8, title, said, pieces, kind="chart forest")
