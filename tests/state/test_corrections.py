"""Corrections on both databases."""

from __future__ import annotations

import pytest
from tests.state.made_records import T0, a_correction, a_job, a_prediction

from leafsight.errors import ConflictError, NotFoundError, UsageError
from leafsight.state import State, new_id


@pytest.fixture
def predicted(state: State) -> str:
    one = a_prediction()
    state.predictions.add_many([one])
    return one.id


def test_corrections_come_back_oldest_first(state: State, predicted: str) -> None:
    first = a_correction(predicted)
    second = a_correction(predicted, right=True, class_key=None, note=None, key_id="f" * 32)
    state.corrections.add(first)
    state.corrections.add(second)
    assert state.corrections.of(predicted) == (first, second)
    assert state.corrections.page(limit=1).records == (second,)
    assert state.corrections.page(second.id).records == (first,)
    assert state.corrections.of(new_id()) == ()
    assert state.corrections.of("nonsense") == ()


def test_a_correction_of_nothing_is_refused(state: State) -> None:
    with pytest.raises(NotFoundError, match="no prediction"):
        state.corrections.add(a_correction(new_id()))


def test_a_correction_twice_under_one_id(state: State, predicted: str) -> None:
    one = a_correction(predicted)
    state.corrections.add(one)
    with pytest.raises(ConflictError):
        state.corrections.add(one)
    assert state.corrections.of(predicted) == (one,)


def test_a_correction_and_its_job_are_both_kept_or_neither(state: State, predicted: str) -> None:
    one, job = a_correction(predicted), a_job()
    state.corrections.add(one, job)
    assert (state.corrections.of(predicted), state.jobs.get(job.id)) == ((one,), job)
    with pytest.raises(ConflictError):
        state.corrections.add(a_correction(predicted), job)
    assert state.corrections.of(predicted) == (one,)


def test_a_note_of_2000_characters_fits_and_one_more_does_not(state: State, predicted: str) -> None:
    state.corrections.add(a_correction(predicted, note="葉" * 2000))
    with pytest.raises(UsageError, match="note has 2001 characters, the most is 2000"):
        state.corrections.add(a_correction(predicted, note="x" * 2001))


def test_counts_of_right_and_wrong(state: State, predicted: str) -> None:
    assert state.corrections.counts(0) == {"right": 0, "wrong": 0}
    for right in (True, False, False):
        state.corrections.add(a_correction(predicted, right=right))
    state.corrections.add(a_correction(predicted, created_ms=T0 - 1))
    assert state.corrections.counts(T0) == {"right": 1, "wrong": 2}
