"""When a call is tried again, how long is waited, and with what it ends: without any network."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.client.conftest import ToldTime

from leafsight.client.attempts import Call, Patience, Send, Surroundings, Wait, attempts
from leafsight.client.replies import Failure, Outcome, Reply
from leafsight.client.requests import IDEMPOTENCY_KEY, Request
from leafsight.client.waiting import FIRST_WAIT_S, MOST_ASKED_S, MOST_WAIT_S, jittered_s, retry_after_s
from leafsight.errors import (
    ConflictError,
    LeafsightError,
    OverloadError,
    RateLimitError,
    RemoteError,
    UsageError,
)

READ = Request("GET", "/healthz")
WRITE = Request("POST", "/v1/predict", headers={IDEMPOTENCY_KEY: "1"})
BARE_WRITE = Request("POST", "/v1/predict")
GOOD = Reply(200, {}, b"good")
UNREACHABLE = Failure("unreachable", "cannot reach it")
BROKEN = Failure("broken", "the line broke", "try again")
TIMEOUT = Failure("timeout", "it took too long")


def reply(status: int, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    slug = {409: "conflict", 429: "rate-limit"}.get(status, "overload")
    body = b'{"type": "x/%s", "detail": "said %d"}' % (slug.encode(), status)
    return Reply(status, {"content-type": "application/problem+json", **named}, body)


def carry_out(
    outcomes: list[Outcome], request: Request = WRITE, patience: Patience | None = None, took_s: float = 0.0
) -> tuple[object, list[float], list[float]]:
    """What it ended with, the time limits of the attempts, and the waits between."""
    told = ToldTime()
    around = told.surroundings
    steps = attempts(Call(request, lambda reply: reply.body), patience or Patience(), around)
    limits: list[float] = []
    step = next(steps)
    try:
        while True:
            if isinstance(step, Wait):
                told.sleep(step.seconds)
                step = steps.send(None)
            else:
                assert isinstance(step, Send)
                assert step.request is request
                limits.append(step.timeout_s)
                told.seconds += took_s
                step = steps.send(outcomes.pop(0))
    except StopIteration as done:
        return done.value, limits, told.waited
    except LeafsightError as error:
        return error, limits, told.waited


@pytest.mark.parametrize(
    "first", [UNREACHABLE, BROKEN, TIMEOUT, reply(429), reply(502), reply(503), reply(504)], ids=str
)
@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
def test_a_passing_trouble_is_tried_again(first: Outcome, request_: Request) -> None:
    ended, limits, waited = carry_out([first, GOOD], request_)
    assert ended == b"good"
    assert len(limits) == 2
    assert waited == [FIRST_WAIT_S / 2]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 415, 422, 500, 501, 507, 301, 199])
def test_what_a_second_try_would_not_change_is_told_at_once(status: int) -> None:
    ended, limits, waited = carry_out([reply(status)])
    assert isinstance(ended, LeafsightError)
    assert (len(limits), waited) == (1, [])


def test_what_we_refuse_ourselves_is_not_fetched_again() -> None:
    ended, limits, _ = carry_out([Failure("refused", "too long", "ask for less")], READ)
    assert isinstance(ended, RemoteError)
    assert (ended.message, ended.hint, len(limits)) == ("too long", "ask for less", 1)


@pytest.mark.parametrize("lost", [BROKEN, TIMEOUT, reply(502), reply(504)], ids=str)
def test_a_write_without_a_key_is_not_repeated_blindly(lost: Outcome) -> None:
    assert len(carry_out([lost], BARE_WRITE)[1]) == 1
    assert carry_out([UNREACHABLE, GOOD], BARE_WRITE)[0] == b"good"
    assert carry_out([reply(503), GOOD], BARE_WRITE)[0] == b"good"


def test_a_conflict_after_a_lost_attempt_means_that_the_server_is_still_at_work() -> None:
    assert carry_out([TIMEOUT, reply(409), reply(409), GOOD])[0] == b"good"
    assert isinstance(carry_out([reply(503), reply(409)])[0], ConflictError)
    assert isinstance(carry_out([TIMEOUT, reply(409)], READ)[0], ConflictError)


def test_the_last_error_is_told_with_the_number_of_attempts() -> None:
    ended, limits, waited = carry_out([BROKEN] * 4)
    assert isinstance(ended, RemoteError)
    assert (ended.message, ended.hint) == ("the line broke (after 4 attempts)", "try again")
    assert len(limits) == 4
    assert waited == [0.125, 0.25, 0.5]
    assert len(carry_out([BROKEN], patience=Patience(retries=0))[1]) == 1


def test_retry_after_is_waited_for_and_told_in_the_end() -> None:
    ended, _, waited = carry_out([reply(503, retry_after="7"), GOOD])
    assert ended == b"good"
    assert waited == [7 + FIRST_WAIT_S / 2]
    date = formatdate(1_700_000_000 + 1000 + 5, usegmt=True)
    assert carry_out([reply(429, retry_after=date), GOOD])[2] == [5 + FIRST_WAIT_S / 2]
    ended, _, waited = carry_out([reply(429, retry_after="86400")])
    assert isinstance(ended, RateLimitError)
    assert (ended.retry_after_s, waited) == (86400, [])


def test_a_server_that_asks_for_ages_is_asked_again_after_a_minute_if_there_is_time() -> None:
    _, _, waited = carry_out([reply(503, retry_after="86400"), GOOD], patience=Patience(timeout_s=300))
    assert waited == [MOST_ASKED_S + FIRST_WAIT_S / 2]


def test_no_wait_goes_beyond_the_time_that_the_caller_gave() -> None:
    ended, limits, waited = carry_out([reply(503, retry_after="20")] * 3, patience=Patience(timeout_s=30))
    assert isinstance(ended, OverloadError)
    assert len(limits) == 2
    assert sum(waited) < 30


def test_an_attempt_gets_what_is_left_or_less() -> None:
    _, limits, _ = carry_out([TIMEOUT, GOOD], patience=Patience(timeout_s=30), took_s=12)
    assert limits == [30, pytest.approx(30 - 12 - 0.125)]
    _, limits, _ = carry_out([TIMEOUT, GOOD], patience=Patience(timeout_s=30, attempt_s=4), took_s=4)
    assert limits == [4, 4]


@settings(max_examples=40)
@given(
    outcomes=st.lists(
        st.sampled_from(
            [UNREACHABLE, BROKEN, TIMEOUT, GOOD, reply(404), reply(503, retry_after="3"), reply(429)]
        ),
        min_size=12,
        max_size=12,
    ),
    retries=st.integers(0, 10),
    timeout_s=st.floats(0.01, 60),
    took_s=st.floats(0, 5),
)
def test_whatever_happens_the_promises_hold(
    outcomes: list[Outcome], retries: int, timeout_s: float, took_s: float
) -> None:
    _, limits, waited = carry_out(list(outcomes), WRITE, Patience(timeout_s, retries), took_s)
    assert 1 <= len(limits) <= retries + 1
    assert len(waited) == len(limits) - 1
    assert all(0 < limit <= timeout_s + 1e-6 for limit in limits)
    assert sum(waited) + took_s * (len(limits) - 1) < timeout_s + 1e-6 or len(limits) == 1


@given(failures=st.integers(1, 10_000), draw=st.floats(0, 1))
def test_the_jitter_is_full_and_bounded(failures: int, draw: float) -> None:
    assert 0 <= jittered_s(failures, draw) <= min(MOST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures - 1, 20))
    assert jittered_s(failures, 0.0) == 0.0


@given(text=st.one_of(st.text(max_size=40), st.from_regex(r"[-+]?[0-9]{1,400}", fullmatch=True)))
def test_any_retry_after_is_survived(text: str) -> None:
    found = retry_after_s({"retry-after": text}, 1_700_000_000.0)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0", 0), (" 12 ", 12), ("-3", None), ("1.5", None), ("", None), ("soon", None), ("٣", None),
        ("Tue, 14 Nov 2023 22:13:25 GMT", 5), ("Tue, 14 Nov 2000 22:13:25 GMT", 0),
        ("Tuesday, 14-Nov-23 22:13:25 GMT", 5), ("Tue, 99 Nov 2023 22:13:25 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_in_both_spellings(text: str, wanted: float | None) -> None:
    assert retry_after_s({"retry-after": text}, 1_700_000_000.0) == wanted


@pytest.mark.parametrize(
    "times",
    [
        (0, 3, None), (-1, 3, None), (float("inf"), 3, None), (float("nan"), 3, None), (30, -1, None),
        (30, 101, None), (30, 3, 0),
    ],
)  # fmt: skip
def test_times_that_are_not_possible(times: tuple[float, int, float | None]) -> None:
    with pytest.raises(UsageError, match="cannot wait"):
        Patience(*times)


def test_chance_and_clocks_are_real_when_nobody_hands_in_others() -> None:
    around = Surroundings()
    assert 0 <= around.draw() <= 1
    assert around.clock() <= around.clock()
    assert around.now() > 1_700_000_000
