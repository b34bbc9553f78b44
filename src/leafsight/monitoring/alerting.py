"""The outbox of alerts: what happened that somebody should hear of, kept until it was heard.

Enters: an event in words. Leaves: one alert for it, in the database, whoever and however often it is told;
and each alert as the JSON that is sent. It does not know how it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from leafsight.monitoring.marks import Value, change_mark
from leafsight.storage import canonical_json

if TYPE_CHECKING:
    from leafsight.state import State

Kind = Literal["drift", "rolled_back", "gate_failed", "retraining_failed", "promoted"]
KINDS: tuple[Kind, ...] = ("drift", "rolled_back", "gate_failed", "retraining_failed", "promoted")
OUTBOX = "alerts"
MOST_WAITING, MOST_SENT, MOST_BYTES = 25, 25, 60_000
"""Of a mark, in which all of them lie. Where nobody takes alerts the oldest are dropped, and counted."""
MOST_WORDS, MOST_DETAILS_BYTES = 300, 700


def alert(
    state: State,
    kind: Kind,
    said: str,
    *,
    event: str,
    now_ms: int,
    hint: str = "",
    details: Mapping[str, Any] | None = None,
) -> bool:
    """Put an alert into the outbox; whether it is a new one.

    Args:
        state: the database.
        kind: of event.
        said: what happened, one sentence.
        event: what makes it this event and no other, such as the number of a change; the same event twice is
            one alert.
        now_ms: the clock.
        hint: what can be done about it.
        details: plain values; left out where they are too long.

    Raises:
        StateBusyError, StateError: see ``change_mark``.
    """
    one = {
        "id": sha256(f"{kind} {event}".encode()).hexdigest()[:32],
        "kind": kind,
        "said": said[:MOST_WORDS],
        "hint": hint[:MOST_WORDS],
        "at": now_ms,
        "details": _short(details or {}),
    }

    def put(outbox: Value) -> Value | None:
        waiting, sent = list(outbox.get("waiting", [])), list(outbox.get("sent", []))
        if one["id"] in {other["id"] for other in [*waiting, *sent]}:
            return None
        return fitting(outbox, [*waiting, {**one, "tries": 0, "not_before_ms": 0}], sent)

    return change_mark(state, OUTBOX, put)[1]


def fitting(outbox: Value, waiting: list[Value], sent: list[Value]) -> Value:
    """An outbox with these alerts, as many as may be kept: the oldest go, first of those that were sent."""
    most_sent, most_waiting = MOST_SENT, MOST_WAITING
    while True:
        kept = waiting[-most_waiting:]
        dropped = int(outbox.get("dropped", 0)) + len(waiting) - len(kept)
        found = {"waiting": kept, "sent": sent[-most_sent:] if most_sent else [], "dropped": dropped}
        if len(json.dumps(found)) <= MOST_BYTES or most_waiting == 1:
            return found
        most_sent, most_waiting = (most_sent - 1, most_waiting) if most_sent else (0, most_waiting - 1)


def alerts_now(state: State) -> dict[str, Any]:
    """What waits to be sent and what was: ``waiting``, ``dropped``, and ``newest`` with ``sent_ms``.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    outbox = state.marks.get(OUTBOX) or {}
    waiting, sent = outbox.get("waiting", []), outbox.get("sent", [])
    found = [{**plain_alert(one), "sent_ms": one.get("sent_ms")} for one in [*sent, *waiting]]
    newest = sorted(found, key=lambda one: one["at"], reverse=True)
    return {"waiting": len(waiting), "dropped": int(outbox.get("dropped", 0)), "newest": newest}


def plain_alert(one: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of an alert: the body of the webhook."""
    return {name: one[name] for name in ("id", "kind", "said", "hint", "at", "details")}


def _short(details: Mapping[str, Any]) -> dict[str, Any]:
    plain = dict(details)
    if len(canonical_json(plain)) <= MOST_DETAILS_BYTES:
        return plain
    return {"left_out": "too long"}
