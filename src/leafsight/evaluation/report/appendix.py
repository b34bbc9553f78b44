"""The end of the page: every number, training, data, provenance, and how it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leafsight.evaluation.report import charts, words
from leafsight.evaluation.results import Evaluation
from leafsight.pages import Html, figure, folded, join, section, table, tag


def all_numbers(evaluation: Evaluation) -> Html:
    """Every metric of the whole test."""
    rows = [
        (words.label(name), words.value(name, interval), words.span(name, interval), words.direction(name))
        for name, interval in evaluation.overall.metrics.items()
    ]
    head = ("metric", "value", "interval", "")
    return section("All numbers", "numbers", table(head, rows, "All photographs", numeric=(1, 2)))


def training_curves(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> Html:
    """One drawing for each quantity; values that are not finite are left out."""
    drawings = []
    for quantity, lines in curves.items():
        points = [
            (name, [(float(step), float(y)) for step, y in enumerate(values, 1) if np.isfinite(y)])
            for name, values in lines.items()
        ]
        drawn = [entry for entry in points if entry[1]]
        if drawn:
            chart = charts.line_chart(drawn, quantity, "epoch", quantity)
            drawings.append(figure(join([chart, charts.line_key([name for name, _ in drawn])]), quantity))
    return section("Training", "training", tag("div", drawings, class_="two"))


def facts(title: str, anchor: str, values: Mapping[str, Any]) -> Html:
    """Any plain values as names and what they are."""
    return section(title, anchor, _facts(values))


def _facts(value: Any, depth: int = 0) -> Html:
    if isinstance(value, Mapping) and depth < 4:
        pairs = [
            piece
            for key in value
            for piece in (tag("dt", str(key)), tag("dd", _facts(value[key], depth + 1)))
        ]
        return tag("dl", pairs, class_="facts")
    if isinstance(value, list | tuple):
        return join(", ".join(str(entry) for entry in value))
    return join(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))


def method(evaluation: Evaluation) -> Html:
    """How the numbers were made, with sources."""
    settings = evaluation.settings
    said = [
        f"Intervals: {settings['resamples']:,} bootstrap resamples of whole groups, percentiles, seed "
        f"{settings['seed']} (Efron 1979; Davison and Hinkley 1997). Shares of 0 or 100 % get Wilson's "
        "interval. Calibration errors are centred, since resampling adds to them.",
        "Means over classes leave out classes without a photograph; one that was never answered counts as 0.",
        f"ECE: {settings['bins']} bins of equal width, the most probable class (Guo et al. 2017).",
        "Temperature scaling (Guo et al. 2017); sets by adaptive prediction sets (Romano et al. 2020), "
        "never empty; unfamiliarity by Mahalanobis distance (Lee et al. 2018) and residual (Wang et al. "
        "2022).",
    ]
    body: list[str] = [tag("ul", [tag("li", line) for line in said])]
    if evaluation.calibration is not None:
        shown = {key: entry for key, entry in evaluation.calibration.items() if key != "classes"}
        body.append(folded("The calibration", _facts(shown)))
    return section("How this was measured", "method", body)
