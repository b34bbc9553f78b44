"""One call from the first attempt to the last, as steps for somebody who can send and wait.

Enters: a call and how patient the caller is. Leaves, one after another: what to send and how long to wait;
at the end the answer, or an error. It does not know sockets, threads or event loops, so that ``Client`` and
``AsyncClient`` try again in exactly the same way.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from leafsight.client.problems import error_of
from leafsight.client.replies import Failure, Outcome, Reply
from leafsight.client.requests import IDEMPOTENCY_KEY, Request
from leafsight.client.waiting import MOST_ASKED_S, jittered_s, retry_after_s
from leafsight.errors import LeafsightError, RemoteError, UsageError

Answer_co = TypeVar("Answer_co", covariant=True)
TRY_AGAIN = frozenset({429, 502, 503, 504})
MOST_RETRIES = 100


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often.

    Attributes:
        timeout_s: for one call altogether: every attempt, and every wait between two.
        retries: attempts after the first.
        attempt_s: for one attempt; None lets it have all that is left. Shorter than ``timeout_s`` it makes a
            server that hangs be asked again.
    """

    timeout_s: float = 30.0
    retries: int = 3
    attempt_s: float | None = None

    def __post_init__(self) -> None:
        times = [self.timeout_s] + ([] if self.attempt_s is None else [self.attempt_s])
        if not all(0 < one < float("inf") for one in times) or not 0 <= self.retries <= MOST_RETRIES:
            raise UsageError(
                f"cannot wait {self.timeout_s} s with {self.retries} retries",
                hint=f"times are above 0, retries 0 to {MOST_RETRIES}",
            )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is slow or random, handed in so that a test can decide it.

    Attributes:
        clock: seconds that never go back.
        now: seconds since 1970, UTC.
        draw: a random number, 0..1.
    """

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    draw: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer_co]):
    """A request, and how its reply is read.

    Attributes:
        request: what is sent.
        read: from a reply with status 200 to 299, or one of ``welcome``, to the answer.
        welcome: further statuses that are answers and not errors.
    """

    request: Request
    read: Callable[[Reply], Answer_co]
    welcome: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Send:
    """Send this, and take no longer; the outcome is handed back."""

    request: Request
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait so long; nothing is handed back."""

    seconds: float


Attempts = Generator[Send | Wait, Outcome | None, Answer_co]


def attempts(call: Call[Answer_co], patience: Patience, around: Surroundings) -> Attempts[Answer_co]:
    """Try until there is an answer, an error that no second try would change, or no time.

    Tried again are: a server that cannot be reached; a line that broke and a time that ran out, when the
    request may be sent twice; and 429, 502, 503, 504. Where ``Retry-After`` asks for more time than there is,
    the error comes at once.

    Raises:
        LeafsightError: the last error, of the class that the server named.
        RemoteError: there is no server, or it answers what no leafsight server would.
    """
    deadline = around.clock() + patience.timeout_s
    was_lost = False
    for failures in count(1):
        left_s = max(0.001, deadline - around.clock())
        outcome = yield Send(call.request, min(left_s, patience.attempt_s or left_s))
        assert outcome is not None
        if isinstance(outcome, Reply) and (200 <= outcome.status < 300 or outcome.status in call.welcome):
            return call.read(outcome)
        wait_s = _wait_s(outcome, call.request, failures, was_lost, around)
        if wait_s is None or failures > patience.retries or around.clock() + wait_s >= deadline:
            raise _error(outcome, failures, around)
        was_lost = was_lost or isinstance(outcome, Failure)
        yield Wait(wait_s)
    raise AssertionError("count() does not end")


def _wait_s(
    outcome: Outcome, request: Request, failures: int, was_lost: bool, around: Surroundings
) -> float | None:
    """Seconds until another try, or None when it would help nobody."""
    backoff_s = jittered_s(failures, around.draw())
    if isinstance(outcome, Failure):
        if outcome.kind == "refused" or (outcome.kind != "unreachable" and not request.is_safe_again):
            return None
        return backoff_s
    # A conflict after an attempt that was lost on the way: the server is still at work on that one.
    still_at_work = outcome.status == 409 and was_lost and IDEMPOTENCY_KEY in request.headers
    if outcome.status not in TRY_AGAIN and not still_at_work:
        return None
    if not request.is_safe_again and outcome.status in (502, 504):
        return None
    asked_s = min(retry_after_s(outcome.headers, around.now()) or 0.0, MOST_ASKED_S)
    return asked_s + backoff_s


def _error(outcome: Outcome, failures: int, around: Surroundings) -> LeafsightError:
    if isinstance(outcome, Reply):
        return error_of(outcome, now_s=around.now())
    tries = f" (after {failures} attempts)" if failures > 1 else ""
    return RemoteError(outcome.message + tries, hint=outcome.hint)
