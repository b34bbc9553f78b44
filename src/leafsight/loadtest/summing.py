"""Outcomes of one load as counts, throughput and latencies; failures are never part of a latency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from leafsight.loadtest.arithmetic import spread_ms
from leafsight.loadtest.outcomes import OK, REFUSED, WRONG_KINDS, Outcome

MOST_FAILED = 0.01
"""A load with a larger share of failures has failed, whatever its latencies are."""


def sum_up(outcomes: Sequence[Outcome], *, from_s: float, until_s: float) -> dict[str, Any]:
    """Counts and latencies of the requests begun in [from_s, until_s), and the throughput in that time.

    Throughput counts what was *answered* in that time, whenever it began, so neither the end of the load
    nor its beginning lends a server anything.

    Args:
        outcomes: of one load.
        from_s: what begins before is not counted.
        until_s: end of the measured time.
    """
    counted = [one for one in outcomes if from_s <= one.begun_s < until_s]
    ok = [one for one in counted if one.kind == OK]
    refused = [one for one in counted if one.kind == REFUSED]
    failures = Counter(one.kind for one in counted if one.failed)
    answered = [one for one in outcomes if one.kind == OK and from_s <= one.begun_s + one.took_s < until_s]
    failed, seconds = sum(failures.values()), until_s - from_s
    return {
        "requests": len(counted),
        "offered_per_s": round(len(counted) / seconds, 4),
        "ok": len(ok),
        "refused": len(refused),
        "refused_why": dict(sorted(Counter(one.told or "no reason given" for one in refused).items())),
        "failed": failed,
        "failures": dict(sorted(failures.items())),
        "wrong": sum(failures[kind] for kind in WRONG_KINDS),
        "answered_per_s": round(len(answered) / seconds, 4),
        "ok_ms": spread_ms(one.took_s for one in ok),
        "refused_ms": spread_ms(one.took_s for one in refused),
        "late_ms": spread_ms(one.late_s for one in counted),
        "by_size": _grouped(ok, "size"),
        "by_deed": _deeds(counted),
        "is_failed": failed > MOST_FAILED * len(counted) or not counted,
    }


def _grouped(outcomes: Sequence[Outcome], name: str) -> dict[str, Any]:
    groups: dict[str, list[float]] = {}
    for one in outcomes:
        groups.setdefault(getattr(one, name), []).append(one.took_s)
    return {key: {"ok": len(took), "ok_ms": spread_ms(took)} for key, took in sorted(groups.items()) if key}


def _deeds(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Each kind of request by itself: a look takes milliseconds, several photographs take seconds."""
    found = {}
    for deed in sorted({one.deed for one in outcomes}):
        some = [one for one in outcomes if one.deed == deed]
        found[deed] = {
            "requests": len(some),
            "ok": sum(one.kind == OK for one in some),
            "refused": sum(one.kind == REFUSED for one in some),
            "failed": sum(one.failed for one in some),
            "ok_ms": spread_ms(one.took_s for one in some if one.kind == OK),
        }
    return found
