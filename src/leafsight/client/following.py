"""Following a job to its end: server-sent events, and polling where they do not come.

Enters: the id of a job. Leaves, one after another: what to send, listen to and wait for, and every new state
of the job. Like ``attempts`` it does not know sockets, threads or event loops.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from leafsight.client import calls
from leafsight.client.answers import Job
from leafsight.client.attempts import Patience, Send, Surroundings, Wait, attempts
from leafsight.client.events import EventReader
from leafsight.client.reading import fitted
from leafsight.client.replies import Failure, Outcome, parse_json
from leafsight.client.requests import Request
from leafsight.errors import RemoteError, UsageError

SILENCE_S = 60.0
"""A stream in which nothing comes for so long is given up; servers send a comment every few seconds."""
MOST_FAILED_STREAMS = 3
FIT_FOR_HEADER = 200


@dataclass(frozen=True, slots=True)
class Listen:
    """Open a stream of events; a reply without its body, or a failure, is handed back."""

    request: Request
    timeout_s: float


@dataclass(frozen=True, slots=True)
class More:
    """The next piece of the stream; bytes (none at its end) or a failure are handed back."""

    timeout_s: float


@dataclass(frozen=True, slots=True)
class Emit:
    """Give this to the caller."""

    job: Job


Step = Send | Wait | Listen | More | Emit
Heard = Outcome | bytes | None
Following = Generator[Step, Heard, None]


class Follower:
    """One job followed from its present state to its last.

    Args:
        name: id of the job.
        patience: for each question that is asked, not for the whole.
        around: clock and chance.
        poll_s: seconds between two questions where events do not come.
        timeout_s: for the whole; None follows for as long as it takes.

    Raises:
        UsageError: times that are not possible.
    """

    def __init__(
        self, name: str, patience: Patience, around: Surroundings, poll_s: float, timeout_s: float | None
    ) -> None:
        if not 0 < poll_s <= 3600 or (timeout_s is not None and timeout_s <= 0):
            raise UsageError(f"cannot ask every {poll_s} s for {timeout_s} s", hint="times are above 0")
        self._name, self._patience, self._around, self._poll_s = name, patience, around, poll_s
        self._timeout_s = timeout_s
        self._deadline = None if timeout_s is None else around.clock() + timeout_s
        self._last: Job | None = None
        self._last_event = ""
        self._failed_streams = 0

    def steps(self) -> Following:
        """What to do, one after another.

        Raises:
            LeafsightError: the server does not know the job, or cannot be asked any more.
            RemoteError: the time for the whole is over.
        """
        while True:
            yield from self._news((yield from self._ask()))
            if self._last is not None and self._last.is_finished:
                return
            if self._failed_streams < MOST_FAILED_STREAMS:
                yield from self._listen()
                if self._last is not None and self._last.is_finished:
                    return
            yield Wait(min(self._poll_s, self._left_s()))

    def _ask(self) -> Generator[Step, Heard, Job]:
        patience = Patience(min(self._patience.timeout_s, self._left_s()), self._patience.retries)
        asking = attempts(calls.job(self._name), patience, self._around)
        outcome: Outcome | None = None
        while True:
            try:
                step = asking.send(outcome)
            except StopIteration as done:
                job: Job = done.value
                return job
            heard = yield step
            assert not isinstance(heard, bytes)
            outcome = heard

    def _news(self, job: Job) -> Generator[Step, Heard, None]:
        if job.id != self._name:
            raise RemoteError(f"the server answered about job {job.id!r} instead of {self._name!r}")
        if job != self._last:
            self._last = job
            yield Emit(job)

    def _listen(self) -> Generator[Step, Heard, None]:
        request = calls.job_events(self._name, self._last_event)
        head = yield Listen(request, min(self._patience.timeout_s, self._left_s()))
        assert head is not None
        assert not isinstance(head, bytes)
        if isinstance(head, Failure) or head.status != 200 or head.media_type != calls.EVENTS:
            self._failed_streams += 1
            return
        events = EventReader()
        while True:
            piece = yield More(min(SILENCE_S, self._left_s()))
            if not isinstance(piece, bytes) or not piece:
                self._failed_streams += isinstance(piece, Failure)
                return
            for event in events.feed(piece):
                self._failed_streams = 0
                yield from self._event(event.data, event.id)
                if self._last is not None and self._last.is_finished:
                    return

    def _event(self, data: str, event_id: str) -> Generator[Step, Heard, None]:
        """One event; what is no state of a job (a greeting, a sign of life) is passed over."""
        if event_id.isascii() and event_id.isprintable() and len(event_id) <= FIT_FOR_HEADER:
            self._last_event = event_id
        plain = parse_json(data.encode("utf-8", "replace"))
        if isinstance(plain, dict) and "state" in plain:
            yield from self._news(fitted(Job, plain, "the event"))

    def _left_s(self) -> float:
        if self._deadline is None:
            return 1e9
        left_s = self._deadline - self._around.clock()
        if left_s <= 0:
            state = "unknown" if self._last is None else self._last.state
            raise RemoteError(
                f"job {self._name} is not finished after {self._timeout_s:g} s: it is {state}",
                hint="the job goes on in the server; follow it again later",
            )
        return left_s
