"""Idempotency on both databases: once is once."""

from __future__ import annotations

import threading

import pytest
from tests.state.conftest import Clock

from leafsight.errors import ConflictError, UsageError
from leafsight.state import State, StoredAnswer

ROUTE, BODY = "POST /v1/uploads", "c" * 64
WORDS = ("key-1", None, ROUTE, BODY)


def test_the_second_request_gets_the_answer_of_the_first(state: State) -> None:
    assert state.answers.begin(*WORDS) is None
    state.answers.finish("key-1", None, ROUTE, 201, {"content-type": "application/json"}, b'{"id":"\xff"}')
    answer = StoredAnswer(201, {"content-type": "application/json"}, b'{"id":"\xff"}')
    assert state.answers.begin(*WORDS) == answer
    assert state.answers.begin(*WORDS) == answer


def test_an_answer_without_a_body(state: State) -> None:
    state.answers.begin(*WORDS)
    state.answers.finish("key-1", None, ROUTE, 204, {}, b"")
    assert state.answers.begin(*WORDS) == StoredAnswer(204, {}, b"")


def test_another_body_under_the_same_key_is_a_conflict(state: State) -> None:
    state.answers.begin(*WORDS)
    with pytest.raises(ConflictError, match="another request"):
        state.answers.begin("key-1", None, ROUTE, "d" * 64)
    state.answers.finish("key-1", None, ROUTE, 200, {}, b"")
    with pytest.raises(ConflictError, match="another request"):
        state.answers.begin("key-1", None, ROUTE, "d" * 64)


def test_keys_of_other_senders_and_routes_are_others(state: State) -> None:
    assert state.answers.begin(*WORDS) is None
    assert state.answers.begin("key-1", "f" * 32, ROUTE, BODY) is None
    assert state.answers.begin("key-1", None, "POST /v1/predict", BODY) is None
    assert state.answers.begin("KEY-1", None, ROUTE, BODY) is None


def test_a_running_request_is_a_conflict_until_it_is_stale(state: State, clock: Clock) -> None:
    state.answers.begin(*WORDS)
    clock.now_ms += 60_000
    with pytest.raises(ConflictError, match="being carried out"):
        state.answers.begin(*WORDS)
    clock.now_ms += 1
    assert state.answers.begin(*WORDS) is None
    with pytest.raises(ConflictError, match="being carried out"):
        state.answers.begin(*WORDS)


def test_a_clock_that_went_back_does_not_block_for_long(state: State, clock: Clock) -> None:
    state.answers.begin(*WORDS)
    clock.now_ms -= 3_600_000
    assert state.answers.begin(*WORDS) is None


def test_of_two_who_finish_the_first_answer_stays(state: State, clock: Clock) -> None:
    state.answers.begin(*WORDS)
    clock.now_ms += 60_001
    state.answers.begin(*WORDS)
    state.answers.finish("key-1", None, ROUTE, 201, {}, b"first")
    state.answers.finish("key-1", None, ROUTE, 201, {}, b"second")
    assert state.answers.begin(*WORDS) == StoredAnswer(201, {}, b"first")


def test_a_failed_request_may_be_sent_again_but_a_finished_one_is_not_forgotten(state: State) -> None:
    state.answers.begin(*WORDS)
    state.answers.forget("key-1", None, ROUTE)
    assert state.answers.begin(*WORDS) is None
    state.answers.finish("key-1", None, ROUTE, 200, {}, b"")
    state.answers.forget("key-1", None, ROUTE)
    assert state.answers.begin(*WORDS) is not None


def test_of_many_at_once_one_goes_on(state: State) -> None:
    got: list[str] = []
    together = threading.Barrier(4)

    def begin() -> None:
        together.wait()
        try:
            got.append("go on" if state.answers.begin(*WORDS) is None else "answer")
        except ConflictError:
            got.append("refused")

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == ["go on"] + ["refused"] * 3


def test_what_does_not_fit(state: State) -> None:
    with pytest.raises(UsageError, match="key has 201 characters"):
        state.answers.begin("k" * 201, None, ROUTE, BODY)
    state.answers.begin(*WORDS)
    with pytest.raises(UsageError, match="body has"):
        state.answers.finish("key-1", None, ROUTE, 200, {}, bytes(8 * 1024 * 1024 + 1))
