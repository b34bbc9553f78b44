"""Set-ups against each other: scaling efficiency, what a proxy costs, one model against another, capacity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from leafsight.loadtest.pooling import MOST_REFUSED, Row, is_carried
from leafsight.loadtest.setups import load_from, setup_from

CAPACITY_RATES = (1, 2, 5, 10, 20, 50, 100)
CAPACITY_LIMITS_MS = (200, 500, 1000, 2000)


def peaks_by_round(cells: Sequence[dict[str, Any]]) -> dict[tuple[str, int], dict[int, float]]:
    """(Family, replicas) -> round -> most answers a second, of rounds in which it was seen to saturate.

    A round in which every rate was carried says how much is answered at least, not at most; one in which the
    generator was the limit says neither.
    """
    found: dict[tuple[str, int], dict[int, float]] = {}
    saturated = set()
    for cell in cells:
        if not load_from(cell["load"]).rate_per_s or cell["generator"]["bound"]:
            continue
        setup, client = setup_from(cell["setup"]), cell["client"]
        key, number = (setup.family, setup.replicas), cell["repeat"]
        if client["is_failed"] or client["refused"] > MOST_REFUSED * client["requests"]:
            saturated.add((key, number))
        if not client["is_failed"]:
            rounds = found.setdefault(key, {})
            rounds[number] = max(client["answered_per_s"], rounds.get(number, 0.0))
    return {
        key: kept
        for key, rounds in found.items()
        if (kept := {number: peak for number, peak in rounds.items() if (key, number) in saturated})
    }


def scaling(cells: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What N replicas give, as a share of N times what the fewest of their family give, within each round."""
    peaks, found = peaks_by_round(cells), []
    for family in sorted({family for family, _ in peaks}):
        counts = sorted(count for one, count in peaks if one == family)
        for count in counts:
            found += _efficiency(family, count, counts[0], peaks[family, count], peaks[family, counts[0]])
    return found


def _efficiency(
    family: str, count: int, fewest: int, rounds: dict[int, float], base: dict[int, float]
) -> list[dict[str, Any]]:
    """A row, or none where no round has both."""
    both = [one for one in sorted(rounds) if base.get(one, 0) > 0]
    ratios = [rounds[one] / base[one] * fewest / count for one in both]
    if not ratios:
        return []
    own = [rounds[one] for one in both]
    return [
        {
            "family": family,
            "replicas": count,
            "base": fewest,
            "peak_per_s": round(fmean(own), 3),
            "peak_rounds": [round(min(own), 3), round(max(own), 3)],
            "efficiency": round(fmean(ratios), 4),
            "efficiency_rounds": [round(min(ratios), 4), round(max(ratios), 4)],
            "rounds": len(ratios),
        }
    ]


def proxy_cost(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The same model, replicas and rate with and without a proxy, where both carried it."""
    found = []
    for row in rows:
        if row["proxy"] or not row["rate_per_s"] or not is_carried(row):
            continue
        for other in rows:
            same = all(other[name] == row[name] for name in ("model", "replicas", "rate_per_s", "users"))
            if same and other["proxy"] and is_carried(other) and row["latency_ms"] and other["latency_ms"]:
                found.append(
                    {"model": row["model"], "replicas": row["replicas"], "rate_per_s": row["rate_per_s"]}
                    | {
                        f"{label}_ms": [
                            row["latency_ms"][label]["value"],
                            other["latency_ms"][label]["value"],
                        ]
                        for label in ("p50", "p95", "p99")
                    }
                    | {"proxy_cpus_used": other["proxy_cpus_used"]}
                )
    return found


def model_costs(rows: Sequence[Row], saturations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each set-up without its load: processor time an answer at carried rates, most answers a second."""
    found = []
    for one in saturations:
        own = [row for row in rows if row["setup"] == one["setup"] and row["rate_per_s"] and is_carried(row)]
        costs = [row["cpu_ms_per_answer"] for row in own if row["cpu_ms_per_answer"] is not None]
        model = next(row["model"] for row in rows if row["setup"] == one["setup"])
        found.append(
            {
                "setup": one["setup"],
                "model": model,
                "cpu_ms_per_answer": round(fmean(costs), 2) if costs else None,
                "peak_per_s": one["peak_per_s"],
                "peak_rounds": one["peak_rounds"],
            }
        )
    return found


def capacity(
    rows: Sequence[Row], *, rates: Sequence[float] = CAPACITY_RATES,
    limits_ms: Sequence[float] = CAPACITY_LIMITS_MS,
) -> list[dict[str, Any]]:  # fmt: skip
    """How many replicas carry a rate with a p99 within a limit.

    An entry is measured when a rate at least as high was carried by so many replicas with such a p99.
    Otherwise it is extrapolated from the largest measured number of replicas, as if more of them carried as
    much each; it is marked, and None where no measured rate stays within the limit.
    """
    found = []
    for family in sorted({row["family"] for row in rows}):
        own = [row for row in rows if row["family"] == family and row["rate_per_s"] and is_carried(row)]
        for rate in rates:
            for limit in limits_ms:
                within = [row for row in own if _p99(row) <= limit]
                found.append({"family": family, "rate_per_s": rate, "p99_ms": limit} | _needed(within, rate))
    return found


def _p99(row: Row) -> float:
    return float(row["latency_ms"]["p99"]["value"]) if row["latency_ms"] else math.inf


def _needed(within: Sequence[Row], rate: float) -> dict[str, Any]:
    enough = [row["replicas"] for row in within if row["rate_per_s"] >= rate]
    if enough:
        return {"replicas": min(enough), "extrapolated": False}
    if not within:
        return {"replicas": None, "extrapolated": False}
    most = max(row["replicas"] for row in within)
    each = max(row["rate_per_s"] for row in within if row["replicas"] == most) / most
    return {"replicas": max(most + 1, math.ceil(rate / each)), "extrapolated": True}
