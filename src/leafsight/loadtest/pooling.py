"""The rounds of one load on one set-up put together into a row of the report.

Counts are added up; latencies are those of all accepted requests of all rounds, from the raw outcomes, with an
interval from order statistics and the spread from round to round beside it. No latency is ever averaged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from leafsight.loadtest.arithmetic import quantile, quantile_interval
from leafsight.loadtest.engines import DATABASE, PROXY, SERVICE, WORKER
from leafsight.loadtest.outcomes import OK, REFUSED, WRONG_KINDS, Outcome
from leafsight.loadtest.setups import load_from, setup_from
from leafsight.loadtest.store import StudyFolder
from leafsight.loadtest.summing import MOST_FAILED

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
MOST_REFUSED = 0.01
"""With more refusals a rate is not carried: it is over what the set-up can do."""
Row = dict[str, Any]


def pooled_rows(folder: StudyFolder) -> list[Row]:
    """One row for each load on each set-up, rates before people, in order of set-up and load."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for cell in folder.cells():
        setup, load = setup_from(cell["setup"]), load_from(cell["load"])
        groups.setdefault((setup.slug, load.slug), []).append(cell)
    rows = [_row(cells, folder) for cells in groups.values()]
    return sorted(rows, key=lambda row: (row["family"], row["replicas"], row["users"], row["rate_per_s"]))


def _row(cells: Sequence[dict[str, Any]], folder: StudyFolder) -> Row:
    from leafsight.loadtest.outcomes import read_outcomes

    setup, load = setup_from(cells[0]["setup"]), load_from(cells[0]["load"])
    counted: list[Outcome] = []
    for cell in cells:
        path = folder.raw(cell["name"])
        until_s = cell["warm_s"] + cell["seconds"]
        if path.exists():
            counted += [one for one in read_outcomes(path) if cell["warm_s"] <= one.begun_s < until_s]
    clients = [cell["client"] for cell in cells]
    requests = sum(one["requests"] for one in clients)
    failed, refused = (sum(one[name] for one in clients) for name in ("failed", "refused"))
    row: Row = {
        "setup": setup.name,
        "family": setup.family,
        "replicas": setup.replicas,
        "model": setup.model_name,
        "proxy": setup.proxy,
        "load": load.name,
        "rate_per_s": load.rate_per_s,
        "users": load.users,
        "rounds": len(cells),
        "requests": requests,
        "ok": sum(one["ok"] for one in clients),
        "refused": refused,
        "refused_share": _share(refused, requests),
        "refused_why": _added(one["refused_why"] for one in clients),
        "failed": failed,
        "failed_share": _share(failed, requests),
        "failures": _added(one["failures"] for one in clients),
        "wrong": sum(one["wrong"] for one in clients),
        "is_failed": failed > MOST_FAILED * requests or not requests,
        "offered_per_s": _spread([one["offered_per_s"] for one in clients]),
        "answered_per_s": _spread([one["answered_per_s"] for one in clients]),
        "latency_ms": _latencies(counted, OK, clients, "ok_ms"),
        "refusal_ms": _latencies(counted, REFUSED, clients, "refused_ms"),
        "by_size_ms": _by(counted, "size"),
        "by_deed_ms": _by(counted, "deed"),
    }
    return row | _generator(cells) | _kept(cells) | _server(cells)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 5) if whole else 0.0


def _added(counts: Any) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, least and most of the rounds."""
    return {"mean": round(fmean(values), 3), "low": round(min(values), 3), "high": round(max(values), 3)}


def _latencies(
    counted: Sequence[Outcome], kind: str, clients: Sequence[dict[str, Any]], name: str
) -> dict[str, Any] | None:
    """Quantiles over all rounds, each with its interval and the least and most of the rounds."""
    ordered = sorted(one.took_s * 1e3 for one in counted if one.kind == kind)
    if not ordered:
        return None
    found: dict[str, Any] = {"count": len(ordered), "max": round(ordered[-1], 1)}
    for label, share in QUANTILES.items():
        interval = quantile_interval(ordered, share)
        rounds = [one[name][label] for one in clients if one[name]]
        found[label] = {
            "value": round(quantile(ordered, share), 1),
            "interval": None if interval is None else [round(end, 1) for end in interval],
            "rounds": [round(min(rounds), 1), round(max(rounds), 1)] if rounds else None,
        }
    return found


def _by(counted: Sequence[Outcome], name: str) -> dict[str, Any]:
    """p50, p95 and p99 of the accepted requests of each size or kind."""
    groups: dict[str, list[float]] = {}
    for one in counted:
        if one.kind == OK and getattr(one, name):
            groups.setdefault(getattr(one, name), []).append(one.took_s * 1e3)
    return {
        key: {"count": len(took)}
        | {label: round(quantile(sorted(took), share), 1) for label, share in QUANTILES.items()}
        for key, took in sorted(groups.items())
    }


def _generator(cells: Sequence[dict[str, Any]]) -> Row:
    generators = [cell["generator"] for cell in cells]
    late = [one["late_ms"]["p99"] for one in generators if one["late_ms"]]
    return {
        "generator_cpu": round(max(one["cpu_share"] for one in generators), 4),
        "generator_late_p99_ms": max(late) if late else None,
        "generator_bound": "; ".join(sorted({one["bound"] for one in generators if one["bound"]})),
    }


def _kept(cells: Sequence[dict[str, Any]]) -> Row:
    """What was looked for in the database afterwards, and what was not there."""
    kept = [cell["kept"] for cell in cells]
    known = [one["lost"] for one in kept if one["lost"] is not None]
    names = ("predictions", "corrections", "uploads")
    return {
        "checked": {name: sum(one["checked"][name] for one in kept) for name in names},
        "lost": {name: sum(len(one[name]) for one in known) for name in names},
        "not_checked": [one["error"] for one in kept if one["error"]],
    }


def _server(cells: Sequence[dict[str, Any]]) -> Row:
    """What the parts used, as means over replicas and rounds, and peaks as peaks."""
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
        "cpu_ms_per_answer": round(1e3 * used * replicas / answered, 2) if used is not None and answered > 0 else None,
        "uneven": _uneven(cells),
        "ended": sorted({f"{part['name']} {part['ended']}" for part in parts if part["ended"]}),
        **{f"{role}_cpus_used": _most(p["cpus_used"] for p in parts if p["role"] == role) for role in (PROXY, DATABASE, WORKER)},
        **{f"{role}_cpus_allowed": max((p["cpus_allowed"] for p in parts if p["role"] == role), default=0.0) for role in (PROXY, DATABASE)},
        "machine_busy": _mean(cell["server"]["machine_busy"] for cell in cells),
        "queue_ms": _ratio_ms(counters, "leafsight_queue_seconds"),
        "inside_ms": _ratio_ms(counters, "leafsight_predict_seconds"),
        "together": _ratio(counters, "leafsight_batch_photographs"),
        "refusals_inside": _labelled(counters, "leafsight_refusals_total"),
        "unrecorded": _sum(counters, "leafsight_predictions_unrecorded_total"),
    }  # fmt: skip


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 4) if known else None


def _most(values: Any) -> Any:
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
    """The mean that the service itself counted. A mean, since counters hold no quantiles; said so in the report."""
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


def is_carried(row: Row) -> bool:
    """Whether a rate is one that the set-up can do: nearly nothing refused, nothing failed, and the generator kept up."""
    return not row["is_failed"] and not row["generator_bound"] and row["refused_share"] <= MOST_REFUSED


def wrong_or_lost(row: Row) -> int:
    """Answers that were wrong, and accepted things that are not there."""
    return int(row["wrong"] + sum(row["lost"].values()))


__all__ = ["Row", "WRONG_KINDS", "is_carried", "pooled_rows", "wrong_or_lost"]
