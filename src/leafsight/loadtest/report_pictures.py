"""The pictures of the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leafsight.loadtest.blocks import Picture
from leafsight.loadtest.charts import Dot, Line, curves
from leafsight.loadtest.pooling import Row
from leafsight.loadtest.report_tables import state_of

MARKS = {"carried": "full", "over capacity": "hollow", "generator-bound": "grey", "FAILED": "cross"}
MARKS_SAID = (
    "Hollow: over capacity. Grey: bound by the generator. Red cross: failed. Bars: from round to round."
)
RATE = "requests a second"


def pictures_of(found: dict[str, Any]) -> list[Picture]:
    """All pictures: for each family, and those over all."""
    rows = [row for row in found["rows"] if row["rate_per_s"]]
    pictures = []
    for family in dict.fromkeys(row["family"] for row in rows):
        own = [row for row in rows if row["family"] == family]
        slug = "-".join("".join(one if one.isalnum() else " " for one in family).split())
        pictures += [_latencies(own, family, slug), _answers(own, family, slug)]
        if any(row["throttled_share"] is not None for row in own):
            pictures.append(_throttling(own, family, slug))
        people = [row for row in found["rows"] if row["users"] and row["family"] == family]
        if len({row["users"] for row in people}) > 1:
            pictures.append(_people(people, family, slug))
    if any(one["replicas"] != one["base"] for one in found["scaling"]):
        pictures.append(_scaling(found))
    return pictures


def _lines(
    rows: list[Row], dot: Callable[[Row], Dot | None], name: str = "", dash: int | None = None
) -> list[Line]:
    """A line for each number of replicas."""
    found = []
    for number, replicas in enumerate(sorted({row["replicas"] for row in rows})):
        dots = [one for row in rows if row["replicas"] == replicas and (one := dot(row))]
        ordered = tuple(sorted(dots, key=lambda one: one.x))
        found.append(Line(f"{replicas} x{name}", ordered, number, number if dash is None else dash))
    return found


def _latency_dot(row: Row, label: str, x: float) -> Dot | None:
    if row["latency_ms"] is None:
        return None
    one = row["latency_ms"][label]
    low, high = one["rounds"] or [one["value"], one["value"]]
    said = f"{row['setup']}, {row['load']}: {label} {one['value']:g} ms, {state_of(row)}"
    return Dot(x, one["value"], min(low, one["value"]), max(high, one["value"]), MARKS[state_of(row)], said)


def _latencies(rows: list[Row], family: str, slug: str) -> Picture:
    lines = _lines(rows, lambda row: _latency_dot(row, "p99", row["rate_per_s"]), ", p99", dash=0)
    lines += _lines(rows, lambda row: _latency_dot(row, "p50", row["rate_per_s"]), ", p50", dash=2)
    title = f"Latency of accepted requests: {family}"
    drawing = curves(title, RATE, "milliseconds (log)", lines, log_y=True)
    return Picture(f"latency-{slug}", title, drawing, f"{title}. {MARKS_SAID}")


def _answers(rows: list[Row], family: str, slug: str) -> Picture:
    def dot(row: Row) -> Dot:
        one = row["answered_per_s"]
        said = f"{row['setup']}, {row['load']}: {one['mean']:g} answered, {state_of(row)}"
        return Dot(row["rate_per_s"], one["mean"], one["low"], one["high"], MARKS[state_of(row)], said)

    title = f"Answers a second: {family}"
    drawing = curves(title, RATE, "answered a second", _lines(rows, dot), ideal=1.0)
    return Picture(f"answers-{slug}", title, drawing, f"{title}; dashed: all that is sent. {MARKS_SAID}")


def _throttling(rows: list[Row], family: str, slug: str) -> Picture:
    def dot(row: Row) -> Dot | None:
        if row["throttled_share"] is None:
            return None
        share = 100 * row["throttled_share"]
        return Dot(row["rate_per_s"], share, share, share, MARKS[state_of(row)], f"{share:.0f} %")

    title = f"Periods in which the quota was used up: {family}"
    drawing = curves(title, RATE, "% of scheduling periods", _lines(rows, dot), y_high=100.0)
    return Picture(f"throttling-{slug}", title, drawing, f"{title}. {MARKS_SAID}")


def _scaling(found: dict[str, Any]) -> Picture:
    lines = []
    for number, family in enumerate(dict.fromkeys(one["family"] for one in found["scaling"])):
        own = [one for one in found["scaling"] if one["family"] == family]
        lines.append(Line(family, tuple(_peak_dot(one) for one in own), number, number))
    title, first = "Most answers a second by number of replicas", lines[0].dots[0]
    counts = sorted({one["replicas"] for one in found["scaling"]})
    drawing = curves(title, "replicas", "answered a second", lines, ideal=first.y / first.x, x_ticks=counts)
    said = f"{title}; dashed: so many times the first. Bars: from round to round."
    return Picture("scaling", title, drawing, said)


def _peak_dot(one: dict[str, Any]) -> Dot:
    low, high = one["peak_rounds"]
    return Dot(one["replicas"], one["peak_per_s"], low, high, "full", f"{100 * one['efficiency']:.0f} %")


def _people(rows: list[Row], family: str, slug: str) -> Picture:
    lines = _lines(rows, lambda row: _latency_dot(row, "p95", row["users"]))
    title = f"People, p95 of accepted requests: {family}"
    counts = sorted({row["users"] for row in rows})
    drawing = curves(title, "people at once", "milliseconds (log)", lines, log_y=True, x_ticks=counts)
    return Picture(f"people-{slug}", title, drawing, f"{title}. {MARKS_SAID}")
