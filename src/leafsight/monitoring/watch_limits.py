"""What is compared after a promotion, by how much it may get worse, and what came of it in words.

Enters: tallies of the former model's last photographs, of the new model's first, and of photographs that both
answered. Leaves: one finding a measure. It does not know where predictions come from, nor what follows.

A limit is crossed when the size is over it and chance makes as much less often than ``RARE``. A look is taken
when there is a quarter more to look at, some twelve times in a watch, so that all measures together call
chance a fault in a few watches of a hundred at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leafsight.evaluation import wilson
from leafsight.monitoring.rows import Row
from leafsight.monitoring.tallies import (
    LEAST_OCCASIONS,
    LEAST_PHOTOGRAPHS,
    Tally,
    differs_in_pairs,
    exceeds,
    rises,
    tally,
)

RARE = 0.0005
"""Of 10,000 deals at most five may be as large."""
LEAST_CORRECTIONS = 20
SURE_OF_FAILURES = 0.9999
"""Confidence of the bound on failed requests, which is looked at every minute."""
JUDGED = ("diagnosis", "cannot_tell", "not_a_leaf")
"""Verdicts that are the model's; a blurred or unreadable photograph is not its matter."""
SLOWER, SLOWER_MS = 1.5, 50.0
"""Slow is what takes half more than the former p95, and 50 ms more."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much one measure may rise, as a share (0..1), and its name in words."""

    rise: float
    words: str


LIMITS: Mapping[str, Limit] = {
    "failed": Limit(0.02, "requests that failed"),
    "slow": Limit(0.05, "answers slower than before"),
    "cannot_tell": Limit(0.15, "'cannot tell'"),
    "not_a_leaf": Limit(0.15, "'not a leaf'"),
    "unsure": Limit(0.10, "doubt in the most probable class"),
    "wrong": Limit(0.20, "corrections that say wrong"),
    "disagrees": Limit(0.30, "answers unlike those of the former model"),
}
"""``slow`` rises from 5 % by definition: so its limit is one answer in ten."""


def slow_ms(rows: Sequence[Row]) -> float:
    """From which latency on an answer counts as slow; infinite without rows."""
    if not rows:
        return float("inf")
    p95 = float(np.quantile([row.latency_ms for row in rows], 0.95))
    return max(SLOWER * p95, p95 + SLOWER_MS)


def tallies_of(rows: Sequence[Row], units: Sequence[int], slow_from_ms: float) -> dict[str, Tally]:
    """What is counted of each photograph, by occasion.

    Args:
        rows: predictions of one model.
        units: the occasion of each.
        slow_from_ms: of ``slow_ms``.
    """
    nan = float("nan")
    judged = [row.verdict in JUDGED for row in rows]
    return {
        "slow": tally([float(row.latency_ms > slow_from_ms) for row in rows], units),
        **{
            name: tally(
                [float(row.verdict == name) if ok else nan for row, ok in zip(rows, judged, strict=True)],
                units,
            )
            for name in ("cannot_tell", "not_a_leaf")
        },
        "unsure": tally(
            [1.0 - row.probability if ok else nan for row, ok in zip(rows, judged, strict=True)], units
        ),
    }


def judged_against_before(name: str, before: Tally, now: Tally) -> dict[str, Any]:
    """One measure of the new model beside the same of the former one."""
    least = LEAST_CORRECTIONS if name == "wrong" else LEAST_PHOTOGRAPHS
    finding = _finding(name, "before", before.mean, now.mean, now)
    if before.is_enough(least) and now.is_enough(least):
        return _crossed(finding, now.mean - before.mean, lambda: rises(before, now))
    return finding


def judged_in_pairs(name: str, former: Tally, now: Tally) -> dict[str, Any]:
    """One measure of photographs that both models answered; which photographs they are plays no part."""
    finding = _finding(name, "pairs", former.mean, now.mean, now)
    if now.is_enough():
        differences = Tally(now.sums - former.sums, now.sizes)
        return _crossed(finding, differences.mean, lambda: differs_in_pairs(differences))
    return finding


def judged_disagreement(disagrees: Tally) -> dict[str, Any]:
    """How often the new model says something else than a diagnosis of the former one."""
    finding = _finding("disagrees", "pairs", 0.0, disagrees.mean, disagrees)
    if disagrees.is_enough():
        limit = LIMITS["disagrees"].rise
        return _crossed(finding, disagrees.mean, lambda: exceeds(disagrees, limit))
    return finding


def judged_failures(before: Sequence[float], now: Sequence[float]) -> dict[str, Any]:
    """Requests for diagnoses that failed; each of both is how many were answered or failed, and failed."""
    share = before[1] / before[0] if before[0] else 0.0
    finding = _finding("failed", "counts", share, now[1] / now[0] if now[0] else float("nan"), None)
    finding |= {"photographs": int(now[0]), "judged": now[0] >= LEAST_PHOTOGRAPHS}
    if finding["judged"]:
        low, _ = wilson(now[1], now[0], SURE_OF_FAILURES)
        finding["crossed"] = bool(low > share + LIMITS["failed"].rise)
    return finding


def said_of(finding: Mapping[str, Any]) -> str:
    """One finding in words: 'cannot tell' rose from 12 % to 41 % (at most 15 points are allowed)."""
    words, rise = LIMITS[finding["name"]].words, LIMITS[finding["name"]].rise
    if finding["name"] == "disagrees":
        return f"{words}: {finding['now']:.0%} (at most {rise:.0%} are allowed)"
    return (
        f"{words} rose from {finding['before']:.0%} to {finding['now']:.0%} "
        f"(at most {100 * rise:.0f} points are allowed)"
    )


def _finding(name: str, how: str, before: float, now: float, counted: Tally | None) -> dict[str, Any]:
    return {
        "name": name,
        "how": how,
        "before": _number(before),
        "now": _number(now),
        "limit": LIMITS[name].rise,
        "p": None,
        "photographs": 0 if counted is None else counted.photographs,
        "occasions": None if counted is None else counted.occasions,
        "judged": False,
        "crossed": False,
    }


def _crossed(finding: dict[str, Any], rise: float, chance: Any) -> dict[str, Any]:
    """``chance`` is only asked where the size is over the limit: it takes half a second."""
    finding["judged"] = True
    if rise >= finding["limit"]:
        finding["p"] = round(chance(), 5)
        finding["crossed"] = finding["p"] <= RARE
    return finding


def _number(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


__all__ = [
    "LEAST_OCCASIONS",
    "LEAST_PHOTOGRAPHS",
    "LIMITS",
    "judged_against_before",
    "judged_disagreement",
    "judged_failures",
    "judged_in_pairs",
    "said_of",
    "slow_ms",
    "tallies_of",
]
