"""What another model would have answered, on both databases."""

from __future__ import annotations

import pytest
from tests.state.made_records import DAY, T0, a_prediction, a_shadow

from leafsight.errors import UsageError
from leafsight.state import State, new_id, shadows

MODEL = "7" * 64


def test_how_a_model_did_against_the_answers(state: State) -> None:
    same = [a_prediction() for _ in range(3)]
    other = a_prediction(class_key="apple/scab")
    unsure = a_prediction(verdict="cannot_tell", class_key=None)
    state.predictions.add_many([*same, other, unsure])
    made = [a_shadow(one.id, latency_ms=10.0) for one in (*same, other)]
    made.append(a_shadow(unsure.id, verdict="cannot_tell", class_key=None, probability=None, latency_ms=60.0))
    made.append(a_shadow(new_id(), latency_ms=100.0))  # of a prediction that is not there yet
    made.append(a_shadow(same[0].id, model_hash="8" * 64))
    made.append(a_shadow(same[1].id, created_ms=T0 - 1, model_hash="9" * 64))
    state.shadows.add_many(made)
    found = state.shadows.summary(MODEL, T0)
    assert (found.model_hash, found.since_ms) == (MODEL, T0)
    assert (found.photographs, found.compared, found.same, found.classes_differ) == (6, 5, 4, 1)
    assert found.verdicts == {"diagnosis": 5, "cannot_tell": 1}
    spread = {"mean": 200 / 6, "p50": 10, "p95": 100, "p99": 100, "max": 100}
    assert found.latency_ms == pytest.approx(spread)
    assert state.shadows.summary("8" * 64, T0).same == 1
    assert state.shadows.summary("9" * 64, T0).photographs == 0


def test_a_summary_of_nothing(state: State) -> None:
    found = state.shadows.summary(MODEL, 0)
    assert (found.photographs, found.compared, found.same, found.latency_ms) == (0, 0, 0, {})


def test_a_second_answer_of_the_same_model_is_left_out(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadows, "AT_ONCE", 2)
    made = [a_shadow(new_id()) for _ in range(5)]
    state.shadows.add_many(made)
    state.shadows.add_many([a_shadow(made[0].prediction_id, verdict="not_a_leaf"), made[1]])
    state.shadows.add_many([])
    ids = [one.prediction_id for one in made]
    assert state.shadows.of([*ids, new_id()], MODEL) == {one.prediction_id: one for one in made}
    assert state.shadows.of(ids, "8" * 64) == state.shadows.of([], MODEL) == {}


def test_those_without_a_prediction_are_removed_when_old(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadows, "AT_ONCE", 2)
    kept = a_prediction()
    state.predictions.add_many([kept])
    state.shadows.add_many([a_shadow(new_id(), created_ms=T0 - DAY) for _ in range(5)])
    state.shadows.add_many([a_shadow(kept.id, created_ms=T0 - DAY), a_shadow(new_id())])
    assert state.shadows.prune(T0) == 5
    assert state.shadows.prune(T0) == 0
    assert state.shadows.summary(MODEL, 0).photographs == 2


def test_what_does_not_fit(state: State) -> None:
    with pytest.raises(UsageError, match="verdict has 21 characters"):
        state.shadows.add_many([a_shadow(new_id()), a_shadow(new_id(), verdict="x" * 21)])
    assert state.shadows.summary(MODEL, 0).photographs == 0
