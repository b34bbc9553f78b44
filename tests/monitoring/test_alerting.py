"""The outbox of alerts: one for each event, none lost, and never so many that it cannot be kept."""

from __future__ import annotations

import pytest

from leafsight.monitoring import KINDS, alert, alerts_now
from leafsight.state import State

NOW_MS = 1_800_000_000_000


def test_one_event_is_one_alert_however_often_it_is_told(state: State) -> None:
    told = [alert(state, "promoted", "B serves now.", event="serving 7", now_ms=NOW_MS + n) for n in range(3)]
    assert told == [True, False, False]
    found = alerts_now(state)
    assert (found["waiting"], found["dropped"]) == (1, 0)
    (one,) = found["newest"]
    assert (one["kind"], one["said"], one["at"], one["sent_ms"]) == (
        "promoted",
        "B serves now.",
        NOW_MS,
        None,
    )
    assert len(one["id"]) == 32
    assert alert(state, "promoted", "A serves now.", event="serving 8", now_ms=NOW_MS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(state: State, kind: str) -> None:
    assert alert(state, kind, "said", event="1", now_ms=NOW_MS)  # type: ignore[arg-type]


def test_long_words_are_cut_and_long_details_left_out(state: State) -> None:
    words = {"event": "1", "now_ms": NOW_MS, "hint": "h" * 9999, "details": {"much": "x" * 9999}}
    alert(state, "drift", "s" * 9999, **words)  # type: ignore[arg-type]
    (one,) = alerts_now(state)["newest"]
    assert (len(one["said"]), len(one["hint"]), one["details"]) == (300, 300, {"left_out": "too long"})


def test_a_hundred_that_nobody_takes_are_not_kept_for_ever(state: State) -> None:
    long = {"hint": "ä" * 300, "details": {"much": "x" * 600}}
    for number in range(100):
        alert(state, "drift", "ö" * 300, event=str(number), now_ms=NOW_MS + number, **long)  # type: ignore[arg-type]
    found = alerts_now(state)
    assert found["waiting"] >= 12
    assert found["waiting"] + found["dropped"] == 100
    assert found["newest"][0]["at"] == NOW_MS + 99
