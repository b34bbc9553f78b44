"""One look of a watch: what the former model's last photographs were, and what the new one's first are.

Enters: the database and a watch. Leaves: tallies to keep, and findings. It does not know what follows from
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leafsight.monitoring.marks import Value
from leafsight.monitoring.rows import Row, newest_rows
from leafsight.monitoring.tallies import (
    LEAST_PHOTOGRAPHS,
    Tally,
    occasions_of,
    plain_tallies,
    tally,
    tally_from,
)
from leafsight.monitoring.watch_limits import (
    LIMITS,
    judged_against_before,
    judged_disagreement,
    judged_failures,
    judged_in_pairs,
    slow_ms,
    tallies_of,
)

if TYPE_CHECKING:
    from leafsight.registry import Registry
    from leafsight.state import State

MOST_ROWS = 2000
BEFORE_MS = 7 * 86_400_000
SLICES = 20
LEAST_SLICE_MS, MOST_SLICE_MS = 5_000, 600_000
GROWN, AGAIN_MS = 1.25, 600_000
MOST_CORRECTIONS = 200


def before_promotion(state: State, former: str, minutes: float, now_ms: int) -> Value:
    """What a watch keeps of the former model's last photographs.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    rows = list(newest_rows(state, former, since_ms=now_ms - BEFORE_MS, most=MOST_ROWS))
    slice_ms = min(max(round(minutes * 60_000 / SLICES), LEAST_SLICE_MS), MOST_SLICE_MS)
    slow = slow_ms(rows)
    counted = tallies_of(rows, occasions_of([(row.created_ms, row.key_id) for row in rows], slice_ms), slow)
    counted["wrong"] = _corrections(state, former, now_ms - BEFORE_MS, now_ms, slice_ms)
    return {
        "slice_ms": slice_ms,
        "slow_from_ms": slow if rows else None,
        "tallies": plain_tallies(counted),
        "before": _counted(rows, counted["slow"]),
    }


def looked(
    state: State, registry: Registry, mark: Value, now_ms: int, counts: Mapping[str, float] | None
) -> Value:
    """Counts as they are now; the findings only where there is enough new to look at.

    Args:
        state: the database.
        registry: for the classes of the former model.
        mark: the watch.
        now_ms: the clock.
        counts: of requests, see ``watching.look_at_watch``.

    Raises:
        LeafsightError: the database or the registry does not answer.
    """
    rows = list(newest_rows(state, mark["model"], since_ms=mark["began_ms"], most=MOST_ROWS))
    units = occasions_of([(row.created_ms, row.key_id) for row in rows], mark["slice_ms"])
    slow = mark["slow_from_ms"]
    now = tallies_of(rows, units, float("inf") if slow is None else slow)
    found: Value = {
        "after": _counted(rows, now["slow"]),
        "photographs": len(rows),
        "measures": mark["measures"],
    }
    found |= _failures(mark, counts)
    last, at_ms = int(mark.get("looked_at", 0)), int(mark.get("looked_ms", 0))
    is_due = len(rows) >= GROWN * last or now_ms - at_ms >= AGAIN_MS or now_ms >= mark["until_ms"]
    failed = [judged_failures(*found["failures"]["both"])] if found.get("failures", {}).get("both") else []
    others = [one for one in mark["measures"] if one["name"] != "failed"]
    if is_due:
        now["wrong"] = _corrections(state, mark["model"], mark["began_ms"], now_ms, mark["slice_ms"])
        others = _judged(state, registry, mark, now, rows, units)
        found |= {"looked_at": len(rows), "looked_ms": now_ms}
    found["measures"] = [*failed, *others]
    return found


def _judged(
    state: State,
    registry: Registry,
    mark: Value,
    now: Mapping[str, Tally],
    rows: Sequence[Row],
    units: Sequence[int],
) -> list[dict[str, Any]]:
    before = {name: tally_from(plain) for name, plain in mark["tallies"].items()}
    pairs = _pairs(state, registry, mark, rows, units)
    found = []
    for name in LIMITS:
        if name in pairs and name != "disagrees":
            found.append(judged_in_pairs(name, *pairs[name]))
        elif name in before and name in now:
            found.append(judged_against_before(name, before[name], now[name]))
    if "disagrees" in pairs:
        found.append(judged_disagreement(pairs["disagrees"][1]))
    return found


def _pairs(
    state: State, registry: Registry, mark: Value, rows: Sequence[Row], units: Sequence[int]
) -> dict[str, tuple[Tally, Tally]]:
    """What the former model said of the same photographs as a shadow, and what is said of them now."""
    said = state.shadows.of([row.id for row in rows], mark["former"])
    both = [(row, said[row.id], unit) for row, unit in zip(rows, units, strict=True) if row.id in said]
    if len(both) < LEAST_PHOTOGRAPHS:
        return {}
    places = [unit for _, _, unit in both]
    found = {
        name: (
            tally([float(old.verdict == name) for _, old, _ in both], places),
            tally([float(new.verdict == name) for new, _, _ in both], places),
        )
        for name in ("cannot_tell", "not_a_leaf")
    }
    known = {label.key for label in registry.bundle(registry.get(mark["former"])).labels}
    other = [
        float(new.class_key != old.class_key and (new.class_key is None or new.class_key in known))
        if old.verdict == "diagnosis"
        else float("nan")
        for new, old, _ in both
    ]  # a class that the former model did not know is what the new one was made for
    counted = tally(other, places)
    return {**found, "disagrees": (counted, counted)}


def _corrections(state: State, model: str, since_ms: int, until_ms: int, slice_ms: int) -> Tally:
    """Corrections of a model's predictions that say wrong, by occasion of who corrects."""
    said: list[tuple[float, tuple[int, str]]] = []
    for one in state.corrections.page(limit=MOST_CORRECTIONS).records:
        if not since_ms <= one.created_ms <= until_ms:
            continue
        prediction = state.predictions.get(one.prediction_id)
        if prediction is not None and prediction.model_hash == model:
            said.append((float(not one.right), (one.created_ms, one.key_id or "")))
    return tally([wrong for wrong, _ in said], occasions_of([at for _, at in said], slice_ms))


def _failures(mark: Value, counts: Mapping[str, float] | None) -> Value:
    """Failed requests since the watch began, over all servers whose counts were seen.

    The share before is that from the start of a server to the first look of the watch.
    """
    known: dict[str, list[float]] = dict(mark.get("failures", {}).get("servers", {}))
    if counts is not None:
        name, many = f"{counts['since']:.3f}", [float(counts["answered"]), float(counts["failed"])]
        first = known.get(name, [*many, *many])[:2]
        known[name] = [*first, *many]
    if not known:
        return {}
    table = list(known.values())
    before = (sum(one[0] for one in table), sum(one[1] for one in table))
    now = (sum(one[2] - one[0] for one in table), sum(one[3] - one[1] for one in table))
    return {"failures": {"servers": known, "both": [list(before), list(now)]}}


def _counted(rows: Sequence[Row], counted: Tally) -> dict[str, Any]:
    """How much there is to compare, and the latency."""
    latencies = sorted(row.latency_ms for row in rows)
    p95 = round(latencies[int(0.95 * (len(latencies) - 1))], 1) if latencies else None
    return {"photographs": len(rows), "occasions": counted.occasions, "latency_p95_ms": p95}
