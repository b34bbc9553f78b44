"""What the load generator counts: arrival times, percentiles, and every request in exactly one place.

Enters: outcomes of single requests. Leaves: plain values for JSON. It knows nothing of HTTP or sockets.

A request is ``ok``, ``refused`` (the server said "not now": 429 or 503), or failed; then its kind says how:

- ``status 500`` and so on: a complete answer with another status.
- ``timeout``: no complete answer within the limit, counted from the intended send time.
- ``connect``: no connection could be opened.
- ``cut``: the connection ended before the answer was complete.
- ``stale``: a kept-alive connection ended as the request was written, with no byte of an answer. A client may
  send such a request again only if it knows that it was not acted on, so it counts as failed here.
- ``malformed``: bytes came that are no HTTP answer.
- ``unsent``: all allowed connections were busy when its time had come (only in the open loop).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from leafsight.loadtest import poisson_schedule, quantile

__all__ = ["Outcome", "kind_of", "poisson_schedule", "quantile", "slope", "spread_ms", "summed_up"]

OK, REFUSED = "ok", "refused"
REFUSALS = (429, 503)
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


class Outcome(NamedTuple):
    """One request.

    ``begun_s`` is when it should have been sent, in seconds after the start: in the closed loop when it was;
    ``took_s`` runs from there to the last byte of the answer, or to the failure. ``wait_told`` says whether a
    refusal carried Retry-After.
    """

    kind: str
    begun_s: float
    took_s: float
    wait_told: bool = False


def kind_of(status: int) -> str:
    """Where an answer with this status is counted."""
    if 200 <= status < 300:
        return OK
    return REFUSED if status in REFUSALS else f"status {status}"


def spread_ms(seconds: Iterable[float]) -> dict[str, float] | None:
    """p50, p90, p99 and max in milliseconds; None without values."""
    ordered = sorted(seconds)
    if not ordered:
        return None
    return {name: round(quantile(ordered, share) * 1e3, 3) for name, share in QUANTILES.items()}


def summed_up(outcomes: Sequence[Outcome], *, from_s: float, until_s: float) -> dict[str, Any]:
    """Counts, throughput and latencies of the requests begun at ``from_s`` or later.

    The window ends at ``until_s``, or with the last answer if that came later, so that a server is not
    praised for answers that it gave after the measured time.
    """
    counted = [one for one in outcomes if one.begun_s >= from_s]
    ok = [one for one in counted if one.kind == OK]
    refused = [one for one in counted if one.kind == REFUSED]
    failed = Counter(one.kind for one in counted if one.kind not in (OK, REFUSED))
    ends_s = max([until_s, *(one.begun_s + one.took_s for one in ok)])
    return {
        "requests": len(counted),
        "ok": len(ok),
        "refused": len(refused),
        "refused_without_retry_after": sum(not one.wait_told for one in refused),
        "failed": sum(failed.values()),
        "failures": dict(sorted(failed.items())),
        "window_s": round(ends_s - from_s, 3),
        "per_s": round(len(ok) / (ends_s - from_s), 3) if ends_s > from_s else 0.0,
        "ok_ms": spread_ms(one.took_s for one in ok),
        "refused_ms": spread_ms(one.took_s for one in refused),
    }


def slope(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Least-squares slope of y over x and its standard error; (0, 0) for fewer than three points.

    Neighbouring samples of one process resemble each other, so the true uncertainty is larger than the error.
    """
    count = len(points)
    if count < 3:
        return 0.0, 0.0
    mean_x, mean_y = (sum(column) / count for column in zip(*points, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if spread == 0:
        return 0.0, 0.0
    steepness = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    left_over = sum((y - mean_y - steepness * (x - mean_x)) ** 2 for x, y in points)
    return steepness, math.sqrt(left_over / (count - 2) / spread)
