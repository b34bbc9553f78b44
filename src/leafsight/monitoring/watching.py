"""The watch after a promotion: the new model's first answers beside the former one's last.

Enters: the database, the registry, the clock. Leaves: a verdict on the promotion, and the former model in its
place again when a limit was crossed. What a watch knows lies in one mark of the database, so any process of
any server can go on with it. It does not know HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from leafsight.errors import LeafsightError, NotFoundError
from leafsight.monitoring.alerting import alert
from leafsight.monitoring.marks import Value, change_mark
from leafsight.monitoring.tallies import LEAST_OCCASIONS, LEAST_PHOTOGRAPHS
from leafsight.monitoring.watch_limits import LIMITS, said_of
from leafsight.monitoring.watch_looks import before_promotion, looked

if TYPE_CHECKING:
    from leafsight.registry import Registry
    from leafsight.state import State

WATCH, SERVING = "watch", "serving"
PATIENCE = 4
"""Times the watch's minutes: for so long it waits for enough photographs."""
HIDDEN = ("tallies", "failures", "slow_from_ms", "slice_ms", "looked_ms", "looked_at")
LOG = logging.getLogger("leafsight.monitoring")


def begin_watch(
    state: State,
    *,
    model_hash: str,
    former: str | None,
    minutes: float,
    now_ms: int,
    alias: str = SERVING,
    change: int | None = None,
) -> dict[str, Any]:
    """Begin to watch a promotion; a watch that runs ends. Call it right after the alias moved.

    Args:
        state: the database.
        model_hash: of the promoted model.
        former: where the alias pointed before; None for nowhere.
        minutes: for how long; 0 means that nothing is watched.
        now_ms: the clock.
        alias: that was moved.
        change: number of the change in the alias's history.

    Returns:
        As ``watch_now``.

    Raises:
        StateBusyError, StateError: the database does not answer; nothing is watched then.
    """
    if minutes <= 0 or former is None or former == model_hash:
        why = "watching is switched off" if minutes <= 0 else "there is no former model to compare with"
        mark = _mark("none", f"Nothing is watched: {why}.", model_hash, former, now_ms, alias, change)
    else:
        mark = _mark("watching", "", model_hash, former, now_ms, alias, change)
        mark |= {"minutes": minutes, "until_ms": now_ms + round(minutes * 60_000)}
        mark |= before_promotion(state, former, minutes, now_ms)
        mark["said"] = _said_watching(mark)
    state.marks.put(WATCH, mark)
    return _shown(mark)


def watch_what_was_promoted(state: State, registry: Registry, *, minutes: float, now_ms: int) -> bool:
    """Begin the watch of the last promotion where nobody did: who promoted died, or does not know watches.

    Args:
        state: the database.
        registry: in which it was promoted.
        minutes: for how long it is watched, from the promotion on; an older one is let be.
        now_ms: the clock.

    Returns:
        Whether a watch was begun.

    Raises:
        LeafsightError: the database or the registry does not answer.
    """
    last = registry.history(SERVING, 1)
    if not last or last[0].kind != "promote" or abs(now_ms - last[0].since_ms) >= minutes * 60_000:
        return False
    mark = state.marks.get(WATCH) or {}
    if (mark.get("alias"), mark.get("change")) == (SERVING, last[0].number):
        return False
    begin_watch(
        state, model_hash=last[0].hash, former=last[0].former, minutes=minutes, now_ms=last[0].since_ms,
        change=last[0].number,
    )  # fmt: skip
    return True


def watch_now(state: State) -> dict[str, Any]:
    """The watch after the last promotion: ``state`` is ``none``, ``watching``, ``passed`` or ``rolled_back``.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    mark = state.marks.get(WATCH)
    if mark is None:
        return {"state": "none", "said": "Nothing was promoted yet that would have been watched."}
    return _shown(mark)


def look_at_watch(
    state: State,
    registry: Registry,
    *,
    now_ms: int,
    counts: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Look at what the new model answered since its promotion, and draw the consequence; every minute.

    Args:
        state: the database.
        registry: in which the former model is put back.
        now_ms: the clock.
        counts: ``since`` (when this server began to count), ``answered`` and ``failed`` requests for
            diagnoses since then; None where they are not known.

    Returns:
        As ``watch_now``.

    Raises:
        LeafsightError: the database or the registry does not answer; the next look goes on.
    """
    mark = dict(state.marks.get(WATCH) or {})
    if mark.get("state") not in ("watching", "rolling_back"):
        return watch_now(state)
    if not _points_to(registry, mark["alias"], mark["model"]):
        if mark["state"] == "rolling_back":
            return _rolled_back(state, mark, now_ms)
        said = "Not watched any more: another model was put in its place meanwhile."
        return _moved(state, mark, {"state": "none", "said": said, "ended_ms": now_ms})
    if mark["state"] == "rolling_back":
        return _roll_back(state, registry, mark, now_ms)
    found = looked(state, registry, mark, now_ms, counts)
    crossed = [one for one in found["measures"] if one["crossed"]]
    if crossed:
        why = f"Rolled back: {'; '.join(said_of(one) for one in crossed)}."
        shown = _moved(state, mark, {**found, "state": "rolling_back", "said": why})
        if shown.get("said") != why:  # another process went on with it
            return shown
        return _roll_back(state, registry, {**mark, **found, "said": why}, now_ms)
    return _moved(state, mark, {**found, **_ended({**mark, **found}, now_ms)})


def _ended(mark: Value, now_ms: int) -> Value:
    """What the watch is when no limit was crossed."""
    if now_ms < mark["until_ms"]:
        return {"said": _said_watching(mark)}
    judged = [one for one in mark["measures"] if one["judged"] and one["name"] != "failed"]
    if judged:
        said = f"Passed: no limit was crossed in {mark['photographs']} photographs."
        return {"state": "passed", "watched": True, "said": said, "ended_ms": now_ms}
    if now_ms < mark["began_ms"] + PATIENCE * (mark["until_ms"] - mark["began_ms"]):
        return {"said": _said_watching(mark)}
    said = (
        f"Passed unwatched: too few photographs to tell. {mark['photographs']} came, at least "
        f"{LEAST_PHOTOGRAPHS} on {LEAST_OCCASIONS} occasions are needed before and after."
    )
    return {"state": "passed", "watched": False, "said": said, "ended_ms": now_ms}


def _said_watching(mark: Value) -> str:
    many = mark.get("photographs", 0)
    judged = [one for one in mark.get("measures", []) if one["judged"]]
    if judged:
        return f"Watching: no limit was crossed in {many} photographs so far."
    return (
        f"Watching: {many} photographs so far, too few to tell; at least {LEAST_PHOTOGRAPHS} on "
        f"{LEAST_OCCASIONS} occasions are needed, of the former model too."
    )


def _roll_back(state: State, registry: Registry, mark: Value, now_ms: int) -> dict[str, Any]:
    try:
        change = registry.rollback(mark["alias"], reason=mark["said"], by="watch")
    except LeafsightError as error:
        said = f"{mark['said']} But it could not be rolled back: {error.message}"
        LOG.error("not rolled back", extra={"fields": {"reason": error.message, "hint": error.hint}})
        alert(state, "rolled_back", said, hint=error.hint, event=f"{_event(mark)} failed", now_ms=now_ms)
        raise
    if change.former != mark["model"] and change.former is not None:
        # Somebody promoted another model in this very moment, and that was no wish of theirs to take back.
        registry.promote(
            change.former, mark["alias"], reason="taken back by mistake with another", by="watch"
        )
    return _rolled_back(state, mark, now_ms)


def _rolled_back(state: State, mark: Value, now_ms: int) -> dict[str, Any]:
    """The alias is where it was: say so, once."""
    alert(
        state,
        "rolled_back",
        mark["said"],
        hint="GET /v1/watch shows the numbers; the former model serves again",
        event=_event(mark),
        now_ms=now_ms,
        details={"model": mark["model"], "former": mark["former"], "photographs": mark.get("photographs", 0)},
    )
    return _moved(state, mark, {"state": "rolled_back", "watched": True, "ended_ms": now_ms})


def _event(mark: Value) -> str:
    return f"{mark['alias']} {mark['change']} {mark['model']} {mark['began_ms']}"


def _points_to(registry: Registry, alias: str, model: str) -> bool:
    try:
        return registry.get(alias).hash == model
    except NotFoundError:
        return False


def _moved(state: State, seen: Value, changes: Value) -> dict[str, Any]:
    """Write changes down, unless it is another watch by now, or this one was ended by another process."""

    def change(present: Value) -> Value | None:
        same = all(present.get(name) == seen[name] for name in ("model", "began_ms"))
        if not same or present.get("state") not in ("watching", "rolling_back"):
            return None
        if present["state"] == "rolling_back" and changes.get("state") not in ("rolled_back",):
            return None
        return {**present, **changes}

    return _shown(change_mark(state, WATCH, change)[0])


def _mark(
    state: str, said: str, model: str, former: str | None, now_ms: int, alias: str, change: int | None
) -> Value:
    return {
        "state": state, "said": said, "model": model, "former": former, "alias": alias, "change": change,
        "began_ms": now_ms, "until_ms": now_ms, "ended_ms": None, "watched": None, "photographs": 0,
        "before": None, "after": None, "measures": [],
    }  # fmt: skip


def _shown(mark: Mapping[str, Any]) -> dict[str, Any]:
    """What others are told of a watch."""
    shown = {name: value for name, value in mark.items() if name not in HIDDEN}
    if shown.get("state") == "rolling_back":
        shown["state"] = "watching"  # for the moment that it takes
    limits = [{"name": name, "rise": one.rise, "words": one.words} for name, one in LIMITS.items()]
    return {
        **shown,
        "limits": limits,
        "least": {"photographs": LEAST_PHOTOGRAPHS, "occasions": LEAST_OCCASIONS},
    }
