"""The server's side of a row of the report: processors, throttling, memory, and its own counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from leafsight.loadtest.engines import DATABASE, PROXY, SERVICE, WORKER


def server_row(cells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the parts used in some rounds: means over replicas and rounds, and peaks as peaks."""
    parts = [part for cell in cells for part in cell["server"]["parts"]]
    service = [part for part in parts if part["role"] == SERVICE]
    replicas = cells[0]["setup"]["replicas"]
    counters = [one for cell in cells for one in cell["server"]["counters"] if one]
    used = _mean(part["cpus_used"] for part in service)
    answered = fmean(cell["client"]["answered_per_s"] for cell in cells)
    return {
        "cpus_used_each": used,
        "cpus_allowed_each": max((part["cpus_allowed"] for part in service), default=0.0),
        "throttled_share": _mean(part["throttled_share"] for part in service),
        "memory_most_bytes": _most(part["memory_most_bytes"] for part in service),
        "memory_peak_bytes": _most(part["memory_peak_bytes"] for part in service),
        "memory_limit_bytes": max((part["memory_limit_bytes"] for part in service), default=0),
        "cpu_ms_per_answer": round(1e3 * used * replicas / answered, 2) if used and answered else None,
        "uneven": _uneven(cells),
        "ended": sorted({f"{part['name']} {part['ended']}" for part in parts if part["ended"]}),
        **_others(parts),
        "machine_busy": _mean(cell["server"]["machine_busy"] for cell in cells),
        "others_cpus": _most(cell["server"].get("others_cpus") for cell in cells),
        "speed_mb_s": _mean(one for cell in cells for one in cell["server"].get("speed_mb_s", ())),
        "queue_ms": _ratio_ms(counters, "leafsight_queue_seconds"),
        "inside_ms": _ratio_ms(counters, "leafsight_predict_seconds"),
        "together": _ratio(counters, "leafsight_batch_photographs"),
        "refusals_inside": _labelled(counters, "leafsight_refusals_total"),
        "unrecorded": _sum(counters, "leafsight_predictions_unrecorded_total"),
    }


def _others(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Processors that proxy, database and worker used and may use."""
    found: dict[str, Any] = {}
    for role in (PROXY, DATABASE, WORKER):
        own = [part for part in parts if part["role"] == role]
        found[f"{role}_cpus_used"] = _most(part["cpus_used"] for part in own)
        found[f"{role}_cpus_allowed"] = max((part["cpus_allowed"] for part in own), default=0.0)
    return found


def _mean(values: Iterable[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 4) if known else None


def _most(values: Iterable[Any]) -> Any:
    return max((value for value in values if value is not None), default=None)


def _uneven(cells: Sequence[dict[str, Any]]) -> float | None:
    """How far the busiest replica is above the mean of them, as a share; the most of the rounds."""
    found = []
    for cell in cells:
        used = [p["cpus_used"] for p in cell["server"]["parts"] if p["role"] == SERVICE and p["cpus_used"]]
        if len(used) > 1:
            found.append(max(used) / fmean(used) - 1)
    return round(max(found), 4) if found else None


def _sum(counters: Sequence[dict[str, float]], name: str) -> float:
    return round(sum(one.get(name, 0.0) for one in counters), 6)


def _ratio(counters: Sequence[dict[str, float]], name: str) -> float | None:
    count = _sum(counters, f"{name}_count")
    return round(_sum(counters, f"{name}_sum") / count, 4) if count else None


def _ratio_ms(counters: Sequence[dict[str, float]], name: str) -> float | None:
    """The mean that the service itself counted: counters hold no quantiles."""
    found = _ratio(counters, name)
    return None if found is None else round(found * 1e3, 2)


def _labelled(counters: Sequence[dict[str, float]], name: str) -> dict[str, float]:
    """A counter by its one label."""
    found: Counter[str] = Counter()
    for one in counters:
        for key, value in one.items():
            if key.startswith(name + "{"):
                found[key.split('"')[1]] += round(value)
    return dict(sorted(found.items()))
