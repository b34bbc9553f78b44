"""The rounds of one load on one set-up put together into a row of the report.

Counts are added up; latencies are those of all accepted requests of all rounds, from the raw outcomes, with
an interval from order statistics and the spread from round to round beside it. No latency is ever averaged. A
round in which the generator was the limit is set aside for latencies and throughput, never for failures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from leafsight.loadtest.arithmetic import quantile, quantile_interval
from leafsight.loadtest.outcomes import OK, REFUSED, Outcome, read_outcomes
from leafsight.loadtest.server_rows import server_row
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
    setup, load = setup_from(cells[0]["setup"]), load_from(cells[0]["load"])
    sound = [cell for cell in cells if not cell["generator"]["bound"]] or cells
    counted: list[Outcome] = []
    for cell in sound:
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
        "rounds_set_aside": len(cells) - len(sound),
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
        "offered_per_s": _spread([cell["client"]["offered_per_s"] for cell in sound]),
        "answered_per_s": _spread([cell["client"]["answered_per_s"] for cell in sound]),
        "latency_ms": _latencies(counted, OK, sound, "ok_ms"),
        "refusal_ms": _latencies(counted, REFUSED, sound, "refused_ms"),
        "by_size_ms": _by(counted, "size"),
        "by_deed_ms": _by(counted, "deed"),
    }
    return row | _generator(cells, sound) | _kept(cells) | server_row(sound)


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
    counted: Sequence[Outcome], kind: str, cells: Sequence[dict[str, Any]], name: str
) -> dict[str, Any] | None:
    """Quantiles over all rounds, each with its interval and the least and most of the rounds."""
    ordered = sorted(one.took_s * 1e3 for one in counted if one.kind == kind)
    if not ordered:
        return None
    found: dict[str, Any] = {"count": len(ordered), "max": round(ordered[-1], 1)}
    for label, share in QUANTILES.items():
        interval = quantile_interval(ordered, share)
        rounds = [cell["client"][name][label] for cell in cells if cell["client"][name]]
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
    return {key: {"count": len(took)} | _quantiles(sorted(took)) for key, took in sorted(groups.items())}


def _quantiles(ordered: Sequence[float]) -> dict[str, float]:
    return {label: round(quantile(ordered, share), 1) for label, share in QUANTILES.items()}


def _generator(cells: Sequence[dict[str, Any]], sound: Sequence[dict[str, Any]]) -> Row:
    """What the generator used in all rounds; it binds a row only when it bound every round."""
    generators = [cell["generator"] for cell in cells]
    late = [one["late_ms"]["p99"] for one in generators if one["late_ms"]]
    return {
        "generator_cpu": round(max(one["cpu_share"] for one in generators), 4),
        "generator_priority": ", ".join(sorted({one.get("priority", "") for one in generators})),
        "generator_late_p99_ms": max(late) if late else None,
        "generator_bound": "; ".join(sorted({cell["generator"]["bound"] for cell in sound} - {""})),
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


def is_carried(row: Row) -> bool:
    """Whether a set-up can do it: not failed, nearly nothing refused, and the generator kept up."""
    return not row["is_failed"] and not row["generator_bound"] and row["refused_share"] <= MOST_REFUSED


def wrong_or_lost(row: Row) -> int:
    """Answers that were wrong, and accepted things that are not there."""
    return int(row["wrong"] + sum(row["lost"].values()))
