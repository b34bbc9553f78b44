"""An even, bounded part of a window, by model, on both databases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.state.made_records import DAY, T0, a_prediction

from leafsight.state import PredictionRecord, State

HOUR = 3_600_000
MODEL, OTHER = "5" * 64, "6" * 64


def at(moment_ms: int, number: int = 0, **changes: Any) -> PredictionRecord:
    """A prediction whose id says the same time as its row."""
    one = f"{moment_ms:012x}{number:020x}"
    return a_prediction(id=one, created_ms=moment_ms, **changes)


def test_a_small_window_is_taken_whole_and_in_order(state: State) -> None:
    rows = [at(T0 + minute * 60_000, minute) for minute in range(90)]
    state.predictions.add_many(rows)
    found = state.predictions.sample(MODEL, T0, T0 + HOUR)
    assert [one.created_ms for one in found] == [row.created_ms for row in rows[:60]]
    first = found[0]
    assert (first.verdict, first.class_key, first.key_id, dict(first.quality)) == (
        "diagnosis",
        "tomato/early_blight",
        None,
        {"sharpness": 12.5},
    )
    assert first.answer["top"][0]["probability"] == 0.875
    assert first.embedding is not None
    np.testing.assert_array_equal(first.embedding, rows[0].embedding)


def test_a_clock_that_was_ahead_once_takes_nothing_out_of_its_window(state: State) -> None:
    """Ids of the process go on ascending from the time that never was; what the clock says now counts."""
    ahead = f"{T0 + DAY:012x}{1:020x}"
    state.predictions.add_many(
        [
            a_prediction(id=ahead, created_ms=T0 + DAY),
            a_prediction(id=f"{T0 + DAY:012x}{2:020x}", created_ms=T0),
        ]
    )
    assert [one.created_ms for one in state.predictions.sample(MODEL, T0, T0 + HOUR)] == [T0]
    assert state.predictions.first_of(MODEL, T0, T0 + HOUR) == T0


def test_other_models_are_not_in_it(state: State) -> None:
    state.predictions.add_many([at(T0, 1), at(T0 + 1, 2, model_hash=OTHER, embedding=None)])
    assert len(state.predictions.sample(MODEL, T0, T0 + HOUR)) == 1
    (other,) = state.predictions.sample(OTHER, T0, T0 + HOUR)
    assert other.embedding is None
    assert state.predictions.sample("7" * 64, T0, T0 + HOUR) == ()


@pytest.mark.parametrize("most", [10, 100])
@pytest.mark.parametrize("every_ms", [1, 7, 1000, 60_000, 65_536])
def test_a_large_window_is_thinned_evenly(state: State, most: int, every_ms: int) -> None:
    """Also for who comes at every full second, or minute."""
    state.predictions.add_many([at(T0 + number * every_ms, number) for number in range(1000)])
    found = state.predictions.sample(MODEL, T0, T0 + 1000 * every_ms, most)
    assert most / 2 <= len(found) <= most * 2
    places = np.array([(one.created_ms - T0) / (1000 * every_ms) for one in found])
    assert places.min() < 0.25
    assert places.max() > 0.75


def test_when_a_model_first_answered(state: State) -> None:
    state.predictions.add_many([at(T0, 1, model_hash=OTHER), at(T0 + HOUR, 2), at(T0 + DAY, 3)])
    assert state.predictions.first_of(MODEL, 0, T0 + 2 * DAY) == T0 + HOUR
    assert state.predictions.first_of(MODEL, T0 + 2 * HOUR, T0 + 2 * DAY) == T0 + DAY
    assert state.predictions.first_of(MODEL, 0, T0) is None


def test_hours_and_stored_photographs(state: State) -> None:
    start = T0 - T0 % HOUR
    state.predictions.add_many(
        [
            at(start, 1),
            at(start + HOUR - 1, 2, verdict="cannot_tell", class_key=None, photo_blob="photos/a.jpg"),
            at(start + HOUR, 3),
            at(start - 1, 4),
        ]
    )
    assert state.predictions.by_hour(start) == {
        start: {"cannot_tell": 1, "diagnosis": 1},
        start + HOUR: {"diagnosis": 1},
    }
    assert state.predictions.stored_photographs() == 1


def test_nothing_at_all(state: State) -> None:
    assert state.predictions.sample(MODEL, 0, T0) == ()
    assert state.predictions.by_hour(0) == {}
    assert state.predictions.stored_photographs() == 0
