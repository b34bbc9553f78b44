"""Failures are counted, and never part of a latency or of a throughput."""

from __future__ import annotations

from tests.loadtest.making import outcomes

from leafsight.loadtest.outcomes import Outcome
from leafsight.loadtest.summing import sum_up


def test_failures_are_no_throughput_and_no_latency() -> None:
    good = outcomes(100, took_s=0.2)
    quick_failures = outcomes(900, kind="status 500", took_s=0.001)
    found = sum_up([*good, *quick_failures], from_s=0, until_s=10)
    assert found["answered_per_s"] == 9.8  # the last two are answered after the measured time
    assert found["ok_ms"]["p50"] == 200
    assert found["failed"] == 900
    assert found["failures"] == {"status 500": 900}
    assert found["is_failed"]
    assert found["requests"] == 1000


def test_wrong_answers_are_failures_of_their_own_kind() -> None:
    mixed = outcomes(2, kind="mixed up", took_s=0.001)
    found = sum_up([*outcomes(98), *mixed, *outcomes(1, kind="wrong")], from_s=0, until_s=10)
    assert found["wrong"] == 3
    assert found["failures"] == {"mixed up": 2, "wrong": 1}
    assert found["is_failed"]
    assert found["ok"] == 98


def test_refusals_have_latencies_and_reasons_of_their_own() -> None:
    refused = outcomes(50, kind="refused", took_s=0.004, told="overload")
    found = sum_up([*outcomes(50, took_s=1.0), *refused], from_s=0, until_s=10)
    assert not found["is_failed"]
    assert found["refused_why"] == {"overload": 50}
    assert found["refused_ms"]["p99"] == 4
    assert found["ok_ms"]["p50"] == 1000


def test_one_failure_in_a_hundred_is_the_limit() -> None:
    just = [*outcomes(99), *outcomes(1, kind="timeout")]
    assert not sum_up(just, from_s=0, until_s=10)["is_failed"]
    over = [*outcomes(98), *outcomes(1, kind="timeout"), *outcomes(1, kind="cut")]
    assert sum_up(over, from_s=0, until_s=10)["is_failed"]
    assert sum_up([], from_s=0, until_s=10)["is_failed"]


def test_what_is_answered_after_the_measured_time_is_no_throughput() -> None:
    late = [Outcome("ok", 9.0, 5.0), Outcome("ok", 5.0, 1.0), Outcome("ok", 0.5, 1.5)]
    found = sum_up(late, from_s=1.0, until_s=10.0)
    assert found["requests"] == 2  # the third began before
    assert found["answered_per_s"] == round(2 / 9, 4)  # the first is answered too late, the third in time
    assert found["ok_ms"]["max"] == 5000
