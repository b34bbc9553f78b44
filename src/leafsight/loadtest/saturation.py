"""Where a set-up saturates, and why, by rules on what was measured; every reason with its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from leafsight.loadtest.engines import DATABASE, PROXY
from leafsight.loadtest.pooling import Row, is_carried

OTHERS_CPUS = 0.2
"""With so many processors used by what is not of the study, its numbers are disturbed."""
NEARLY_ALL, THROTTLED, MEMORY, MACHINE, UNEVEN = 0.9, 0.5, 0.95, 0.95, 0.2
"""Shares: of the processors allowed, of periods, of the memory limit, of the machine, above the mean."""


def saturation_of(rows: Sequence[Row]) -> dict[str, Any]:
    """The saturation of one set-up from its rows with rates.

    Args:
        rows: of one set-up, lowest rate first.

    Returns:
        ``carried_per_s``: the highest rate up to which every rate was carried, None if not even the lowest
        was; ``over_per_s``: the next rate, None if the ladder ended before; ``peak_per_s``: most answers a
        second of any load that did not fail, with ``peak_rounds`` from round to round; ``reasons`` with
        evidence.
    """
    carried = None
    over: list[Row] = []
    for number, row in enumerate(rows):
        if not is_carried(row):
            over = list(rows[number:])
            break
        carried = row["rate_per_s"]
    sound = [row for row in rows if not row["is_failed"] and not row["generator_bound"]]
    peak = max(sound, key=lambda row: row["answered_per_s"]["mean"], default=None)
    return {
        "setup": rows[0]["setup"],
        "family": rows[0]["family"],
        "replicas": rows[0]["replicas"],
        "carried_per_s": carried,
        "over_per_s": over[0]["rate_per_s"] if over else None,
        "peak_per_s": peak["answered_per_s"]["mean"] if peak else None,
        "peak_rounds": [peak["answered_per_s"]["low"], peak["answered_per_s"]["high"]] if peak else None,
        "saturated": any(not row["generator_bound"] and not is_carried(row) for row in rows),
        "reasons": reasons_for(over) if over else ["the ladder of rates ended before it saturated"],
    }


def reasons_for(over: Sequence[Row]) -> list[str]:
    """Why rates are not carried: what was used up and what went wrong, from the rows that are not carried."""
    found = [*_generator(over), *_ended(over), *_memory(over), *_processors(over)]
    for role in (PROXY, DATABASE):
        found += _part(over, role)
    if unrecorded := sum(row["unrecorded"] for row in over):
        found.append(f"the database: {unrecorded:.0f} answers could not be recorded")
    found += _machine(over)
    found += _uneven(over)
    failed = [row for row in over if row["is_failed"]]
    if failed:
        first = failed[0]
        kinds = (
            ", ".join(f"{name} {count}" for name, count in first["failures"].items()) or "nothing was sent"
        )
        found.append(
            f"failures: at {first['load']} {100 * first['failed_share']:.1f} % of requests ({kinds})"
        )
    return found or ["not known: nothing that was measured was used up"]


def _generator(over: Sequence[Row]) -> list[str]:
    bound = [row for row in over if row["generator_bound"]]
    return [f"the generator, from {bound[0]['load']} on: {bound[0]['generator_bound']}"] if bound else []


def _ended(over: Sequence[Row]) -> list[str]:
    names = sorted({name for row in over for name in row["ended"]})
    return [f"parts that ended: {', '.join(names)}"] if names else []


def _memory(over: Sequence[Row]) -> list[str]:
    for row in over:
        limit, most = row["memory_limit_bytes"], row["memory_most_bytes"]
        if limit and most and most >= MEMORY * limit:
            return [f"memory: {most / 2**20:.0f} MiB of {limit / 2**20:.0f} MiB at {row['load']}"]
    return []


def _processors(over: Sequence[Row]) -> list[str]:
    used = [row["cpus_used_each"] for row in over if row["cpus_used_each"] is not None]
    throttled = [row["throttled_share"] for row in over if row["throttled_share"] is not None]
    if not used:
        return []
    allowed, most = over[0]["cpus_allowed_each"], max(used)
    if allowed and (most >= NEARLY_ALL * allowed or (throttled and max(throttled) >= THROTTLED)):
        shown = f", throttled in {100 * max(throttled):.0f} % of periods" if throttled else ""
        return [f"the processor quota of the replicas: {most:.2f} of {allowed:g} used{shown}"]
    if not allowed and most >= NEARLY_ALL:
        return [f"the one thread of each process that diagnoses: {most:.2f} processors used by each replica"]
    return []


def _part(over: Sequence[Row], role: str) -> list[str]:
    used = [row[f"{role}_cpus_used"] for row in over if row[f"{role}_cpus_used"] is not None]
    allowed = max((row[f"{role}_cpus_allowed"] for row in over), default=0.0)
    if used and max(used) >= NEARLY_ALL * (allowed or 1.0):
        return [f"the {role}: {max(used):.2f} of {allowed or 1.0:g} processors used"]
    return []


def _machine(over: Sequence[Row]) -> list[str]:
    busy = [row["machine_busy"] for row in over if row["machine_busy"] is not None]
    if not busy or max(busy) < MACHINE:
        return []
    others = max((row["others_cpus"] or 0.0 for row in over), default=0.0)
    took = f"; other programs took up to {others:.1f} of them" if others >= OTHERS_CPUS else ""
    said = f"the machine: {100 * max(busy):.0f} % of all its processors busy"
    return [f"{said}, so that parts took from each other{took}"]


def _uneven(over: Sequence[Row]) -> list[str]:
    uneven = [row["uneven"] for row in over if row["uneven"] is not None]
    if uneven and fmean(uneven) >= UNEVEN:
        return [f"uneven sharing: the busiest replica used {100 * fmean(uneven):.0f} % more than the mean"]
    return []
