"""An ablation as files: a page, and the same table as Markdown, LaTeX and JSON beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from leafsight.experiments.ablation_results import AblationResult, RowResult
from leafsight.experiments.ablation_words import (
    WORDS,
    ablation_cells,
    ablation_headings,
    ablation_method,
    change_in_words,
    latex,
    looked_in_words,
    markdown,
    plain_percent,
    points,
)
from leafsight.pages import Html, document, figure, folded, join, section, svg, table, tag
from leafsight.storage import write_json, write_text

PAGE, TABLE = "index.html", "table"
UNCHANGED = {"data.train_fraction": 1.0}
"""What a key is in a row that does not name it."""


def write_ablation(result: AblationResult, folder: Path) -> Path:
    """Write ``index.html``, ``table.md``, ``table.tex`` and ``table.json``, each whole or not at all.

    Returns:
        the page.

    Raises:
        StorageError: a file cannot be written.
    """
    write_json(folder / f"{TABLE}.json", result.to_dict())
    write_text(folder / f"{TABLE}.md", markdown(result))
    write_text(folder / f"{TABLE}.tex", latex(result))
    write_text(folder / PAGE, page(result))
    return folder / PAGE


def page(result: AblationResult) -> str:
    """The page as text."""
    title = result.title or f"{result.recipe}: {result.name}"
    head = ablation_headings(result)
    numeric = range(1, len(head))
    parts = [
        section("The table", "table", table(head, _unbroken(result), caption(result), numeric=numeric)),
        section("What each change is worth", "differences", _differences(result)),
    ]
    curve = _curve(result)
    if curve is not None:
        parts.append(section("By size", "curve", curve))
    parts += [
        section("What was changed", "changes", _changes(result)),
        section("How to read it", "method", tag("ul", [tag("li", said) for said in ablation_method(result)])),
        folded("Machine", tag("p", ", ".join(f"{key}: {value}" for key, value in result.machine.items()))),
    ]
    lead = "" if result.is_complete else "Not every run is finished yet; the table fills as they are. "
    body = [tag("h1", title), tag("p", lead + best_sentence(result), class_="lead"), *parts]
    return document(title, tag("main", body))


def _unbroken(result: AblationResult) -> list[list[str]]:
    """The cells with intervals that no line break tears."""
    return [[cell.replace(", ", ",\u00a0") for cell in row] for row in ablation_cells(result)]


def caption(result: AblationResult) -> str:
    """What the table shows, in a line."""
    return f"{result.recipe}, {result.name}: per cent on '{result.split}', differences in points"


def best_sentence(result: AblationResult) -> str:
    """What helps and what does not, in a sentence that the intervals allow."""
    known = [row for row in result.rows if result.metric in row.differences]
    better = [_named(result, row) for row in known if row.differences[result.metric].mean.low > 0]
    worse = [_named(result, row) for row in known if row.differences[result.metric].mean.high < 0]
    rest = len(known) - len(better) - len(worse)
    if not known:
        return "Nothing can be compared yet."
    said = []
    if better:
        said.append(f"Better than {result.against}: {', '.join(better)}.")
    if worse:
        said.append(f"Worse: {', '.join(worse)}.")
    if rest:
        said.append(
            f"{rest} of {len(known)} cannot be told from {result.against} by these photographs and seeds."
        )
    return " ".join(said)


def _named(result: AblationResult, row: RowResult) -> str:
    return f"{row.title or row.name} ({points(row.differences[result.metric])})"


def _changes(result: AblationResult) -> Html:
    head = ["variant", "change", "judged"]
    rows = [[row.name, change_in_words(row.change) or "nothing", looked_in_words(row)] for row in result.rows]
    if any(row.failure for row in result.rows):
        head.append("failure")
        rows = [[*cells, row.failure] for cells, row in zip(rows, result.rows, strict=True)]
    return table(head, rows, "Every change, as --set would say it")


def _differences(result: AblationResult) -> Html:
    """Dots with whiskers around the line of no difference."""
    rows = [
        (row.title or row.name, row.differences[result.metric])
        for row in result.rows
        if result.metric in row.differences
    ]
    if not rows:
        return tag("p", "There is nothing to compare with yet.")
    left, width, step, top = 250.0, 380.0, 26.0, 30.0
    ends = [end for _, one in rows for end in (one.mean.low, one.mean.high)]
    reach = max(0.005, *(abs(end) for end in ends)) * 1.05
    middle, scale = left + width / 2, width / 2 / reach
    foot = top + step * len(rows)
    pieces = [
        tag("line", x1=middle, x2=middle, y1=top - 6, y2=foot, class_="axis"),
        tag("text", f"{result.against} is better", x=middle - 8, y=top - 12, text_anchor="end"),
        tag("text", "the change is better", x=middle + 8, y=top - 12),
    ]
    for number, (name, one) in enumerate(rows):
        y = top + step * (number + 0.5)
        value, low, high = one.mean.value, one.mean.low, one.mean.high
        kind = "bad" if high < 0 else "mark"
        pieces += [
            tag("line", x1=left, x2=left + width, y1=y, y2=y, class_="grid"),
            tag("text", _short(name), x=left - 10, y=y + 4, text_anchor="end", class_="ink"),
            tag("line", x1=middle + low * scale, x2=middle + high * scale, y1=y, y2=y, class_="whisker"),
            tag("circle", cx=middle + value * scale, cy=y, r=5, class_=kind),
            tag("text", points(one), x=left + width + 10, y=y + 4),
        ]
    said = "; ".join(f"{name}: {points(one)}" for name, one in rows)
    drawing = svg(left + width + 150, foot + 10, "Differences", said, pieces)
    return figure(drawing, f"Difference in {WORDS[result.metric]} to {result.against}, in points.")


def _short(name: str) -> str:
    return name if len(name) <= 38 else f"{name[:37]}…"


def _curve(result: AblationResult) -> Html | None:
    """A line where rows differ in one number only, such as the share of the data."""
    changed = [row for row in result.rows if row.change]
    named = {key for row in changed for key in row.change}
    values_of = {key: [row.change.get(key, UNCHANGED.get(key)) for row in changed] for key in named}
    varying = [key for key, values in values_of.items() if any(value != values[0] for value in values)]
    if len(varying) != 1 or len({(row.views, row.average) for row in changed}) != 1:
        return None
    key = varying[0]
    measured = [row.metrics.get(result.split, {}).get(result.metric) for row in changed]
    values = list(zip(values_of[key], measured, strict=True))
    known = [
        (float(x), found)
        for x, found in values
        if found is not None and isinstance(x, int | float) and not isinstance(x, bool)
    ]
    if len(known) < 3 or len(known) < len(values) or min(x for x, _ in known) <= 0:
        return None
    known.sort(key=lambda pair: pair[0])
    return figure(
        _line(known, key, WORDS[result.metric]), f"{WORDS[result.metric]} by {key}, with intervals."
    )


def _line(known: Sequence[tuple[float, object]], x_name: str, y_name: str) -> Html:
    from leafsight.evaluation import Repeated

    left, top, width, height = 62.0, 12.0, 420.0, 240.0
    spots = [(x, found) for x, found in known if isinstance(found, Repeated)]
    across = np.log([x for x, _ in spots])
    span = max(float(across[-1] - across[0]), 1e-9)
    low = min(found.mean.low for _, found in spots)
    high = max(found.mean.high for _, found in spots)
    tall = max(high - low, 1e-6)

    def place(x: float, y: float) -> tuple[float, float]:
        return left + width * (float(np.log(x)) - float(across[0])) / span, top + height * (high - y) / tall

    pieces = [tag("line", x1=left, x2=left + width, y1=top + height, y2=top + height, class_="axis")]
    for number in range(5):
        y = low + tall * number / 4
        down = place(spots[0][0], y)[1]
        pieces += [
            tag("line", x1=left, x2=left + width, y1=down, y2=down, class_="grid"),
            tag("text", f"{100 * y:.1f}", x=left - 8, y=down + 4, text_anchor="end"),
        ]
    path = " ".join("{:.1f},{:.1f}".format(*place(x, found.mean.value)) for x, found in spots)
    pieces.append(tag("polyline", points=path, class_="line", style="stroke:var(--s0)"))
    for x, found in spots:
        at, middle = place(x, found.mean.value)
        ends = place(x, found.mean.low)[1], place(x, found.mean.high)[1]
        pieces += [
            tag("line", x1=at, x2=at, y1=ends[0], y2=ends[1], class_="whisker"),
            tag("circle", cx=at, cy=middle, r=4, class_="mark"),
            tag("text", f"{x:g}", x=at, y=top + height + 18, text_anchor="middle"),
        ]
    pieces.append(
        tag(
            "text",
            f"{x_name} (logarithmic)",
            x=left + width / 2,
            y=top + height + 38,
            text_anchor="middle",
        )
    )
    said = "; ".join(f"{x:g}: {plain_percent(found)}" for x, found in spots)
    return svg(left + width + 24, top + height + 48, f"{y_name} by {x_name}", said, [join(pieces)])
