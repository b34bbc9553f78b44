"""The pictures of the report."""

from __future__ import annotations

from typing import Any

from leafsight.loadtest.blocks import Picture
from leafsight.loadtest.charts import Dot, curves
from leafsight.loadtest.pooling import Row
from leafsight.loadtest.report_tables import state_of

MARKS = {"carried": "full", "over capacity": "hollow", "generator-bound": "hollow", "FAILED": "cross"}
MARKS_SAID = (
    "Hollow: over capacity or bound by the generator; a red cross: failed. Bars: from round to round."
)


def pictures_of(found: dict[str, Any]) -> list[Picture]:
    """All pictures: for each family, and those over all."""
    rows = [row for row in found["rows"] if row["rate_per_s"]]
    pictures = []
    for family in dict.fromkeys(row["family"] for row in rows):
        own = [row for row in rows if row["family"] == family]
        slug = "".join(one if one.isalnum() else "-" for one in family).replace("--", "-")
        pictures += [_latencies(own, family, slug), _answers(own, family, slug)]
        if any(row["throttled_share"] is not None for row in own):
            pictures.append(_throttling(own, family, slug))
    if any(one["replicas"] != one["base"] for one in found["scaling"]):
        pictures.append(_scaling(found))
    people = [row for row in found["rows"] if row["users"]]
    if len({row["users"] for row in people}) > 1:
        pictures.append(_people(people))
    return pictures


def _by_replicas(rows: list[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row["replicas"], []).append(row)
    return dict(sorted(found.items()))


def _latency_dot(row: Row, label: str, x: float) -> Dot | None:
    if row["latency_ms"] is None:
        return None
    one = row["latency_ms"][label]
    low, high = one["rounds"] or [one["value"], one["value"]]
    said = f"{row['setup']}, {row['load']}: {label} {one['value']:g} ms, {state_of(row)}"
    return Dot(x, one["value"], min(low, one["value"]), max(high, one["value"]), MARKS[state_of(row)], said)


def _latencies(rows: list[Row], family: str, slug: str) -> Picture:
    lines = []
    for label in ("p99", "p50"):
        for replicas, own in _by_replicas(rows).items():
            dots = [dot for row in own if (dot := _latency_dot(row, label, row["offered_per_s"]["mean"]))]
            lines.append((f"{replicas} x, {label}", dots))
    title = f"Latency of accepted requests: {family}"
    drawing = curves(title, "requests offered a second", "milliseconds (log)", lines, log_y=True)
    return Picture(f"latency-{slug}", drawing, f"{title}. {MARKS_SAID}")


def _answers(rows: list[Row], family: str, slug: str) -> Picture:
    lines = []
    for replicas, own in _by_replicas(rows).items():
        dots = []
        for row in own:
            one = row["answered_per_s"]
            said = f"{row['setup']}, {row['load']}: {one['mean']:g} answered, {state_of(row)}"
            dots.append(
                Dot(
                    row["offered_per_s"]["mean"],
                    one["mean"],
                    one["low"],
                    one["high"],
                    MARKS[state_of(row)],
                    said,
                )
            )
        lines.append((f"{replicas} x", dots))
    title = f"Answers a second: {family}"
    drawing = curves(title, "requests offered a second", "answered a second", lines, ideal=True)
    return Picture(f"answers-{slug}", drawing, f"{title}; dashed: all that is offered. {MARKS_SAID}")


def _throttling(rows: list[Row], family: str, slug: str) -> Picture:
    lines = []
    for replicas, own in _by_replicas(rows).items():
        known = [row for row in own if row["throttled_share"] is not None]
        dots = []
        for row in known:
            share = 100 * row["throttled_share"]
            dots.append(
                Dot(row["offered_per_s"]["mean"], share, share, share, MARKS[state_of(row)], f"{share:.0f} %")
            )
        lines.append((f"{replicas} x", dots))
    title = f"Periods in which the quota was used up: {family}"
    drawing = curves(title, "requests offered a second", "% of scheduling periods", lines, y_high=100.0)
    return Picture(f"throttling-{slug}", drawing, f"{title}. {MARKS_SAID}")


def _scaling(found: dict[str, Any]) -> Picture:
    lines = []
    for family in dict.fromkeys(one["family"] for one in found["scaling"]):
        own = [one for one in found["scaling"] if one["family"] == family]
        dots = [
            Dot(
                one["replicas"],
                one["peak_per_s"],
                *one["peak_rounds"],
                "full",
                f"{100 * one['efficiency']:.0f} %",
            )
            for one in own
        ]
        lines.append((family, dots))
    title = "Most answers a second by number of replicas"
    drawing = curves(title, "replicas", "answered a second", lines)
    return Picture("scaling", drawing, f"{title}. Bars: from round to round.")


def _people(rows: list[Row]) -> Picture:
    lines = []
    for setup in dict.fromkeys(row["setup"] for row in rows):
        own = [row for row in rows if row["setup"] == setup]
        dots = [dot for row in own if (dot := _latency_dot(row, "p95", row["users"]))]
        lines.append((setup, dots))
    title = "People: p95 of accepted requests"
    drawing = curves(title, "people at once", "milliseconds (log)", lines, log_y=True)
    return Picture("people", drawing, f"{title}. {MARKS_SAID}")
