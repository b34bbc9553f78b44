"""The clerk: one process beside the workers that works jobs off, at the lowest priority, while there are any.

Enters: the queue of jobs in the database. Leaves: jobs that ended. What a job does, it leaves to others, and
they to processes of their own. Clerks of several servers may work on one queue: each job is held by one.

The trainer is a clerk for retraining alone, in a process of its own, so that nobody's upload waits for it. Of
all trainers on a database one is at work at a time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple

from leafsight.errors import DiskFullError, LeafsightError, StateBusyError, StateError
from leafsight.service.clerk_bell import TRAIN, WORK
from leafsight.service.correction_job import take_correction
from leafsight.service.drift_job import look as look_for_drift
from leafsight.service.job_work import GivenUpError, Work
from leafsight.service.logs import write_json_lines
from leafsight.service.options import ServiceOptions
from leafsight.service.recheck_job import recheck_waiting
from leafsight.service.report_job import make_report
from leafsight.service.report_store import Reports
from leafsight.service.retraining_job import retrain
from leafsight.service.upload_job import check_upload

if TYPE_CHECKING:
    from leafsight.state import Blobs, JobRecord, State

Doing = Callable[[Work], dict[str, Any]]
KINDS: Mapping[str, Doing] = {
    "report": make_report,
    "check-upload": check_upload,
    "correction": take_correction,
    "recheck": recheck_waiting,
    "drift": look_for_drift,
}
TRAINING: Mapping[str, Doing] = {"retraining": retrain}
DOES = {WORK: KINDS, TRAIN: TRAINING}
IDLE_S = 3.0
"""A clerk without work ends after this; the next job starts another."""
LOOK_S = 0.5
PATIENCE_S, PAUSE_S = 3600.0, 5.0
"""A store or database that is gone or full comes back, or somebody sees to it. So long a job is begun again
and again, with a pause in which others are done; it has failed only then."""
NICE = 15
STATE_WAIT_S = 5.0
MOST_WORDS_TRIES = 20
LOG = logging.getLogger("leafsight.service")
BUG = {
    "type": "internal",
    "status": 500,
    "message": "a bug of leafsight",
    "hint": "look into the log of the server, or of its job worker",
}


class _PutOff(NamedTuple):
    """A job that is begun again later.

    Attributes:
        since_s: when it met trouble for the first time, of a clock that never goes back.
        until_s: it is left alone until then.
    """

    since_s: float
    until_s: float


class Clerk:
    """Works jobs off, one after another.

    Args:
        state: the database.
        blobs: the store.
        options: of the service.
        ended: whether this process shall end.
        kinds: what is done for each kind of job.
        alone: whether a job waits while another of these kinds is at work anywhere.
        patience_s: for so long a job is begun again whose store or database is in trouble.
    """

    def __init__(
        self,
        state: State,
        blobs: Blobs,
        options: ServiceOptions,
        ended: Callable[[], bool],
        kinds: Mapping[str, Doing] = KINDS,
        *,
        alone: bool = False,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._state, self._blobs, self._options = state, blobs, options
        self._ended, self._kinds, self._alone = ended, kinds, alone
        self._patience_s = patience_s
        self._put_off: dict[str, _PutOff] = {}

    def attend(self, *, idle_s: float = IDLE_S) -> None:
        """Work until there has been nothing to do for ``idle_s``, or this process shall end.

        A job that another clerk holds is waited for: if that clerk dies, somebody has to take the job up. So
        is one that was put off.
        """
        until = time.monotonic() + idle_s
        while not self._ended() and time.monotonic() < until:
            try:
                while not self._ended() and self.work_one():
                    until = time.monotonic() + idle_s
                ahead = self._state.claims.ahead(self._kinds)
                busy = bool(ahead.held or self._put_off.keys() & set(ahead.free))
            except StateBusyError as error:
                LOG.warning("the clerk waits", extra={"fields": {"reason": error.message}})
                busy = True
            if busy:
                until = time.monotonic() + idle_s
            time.sleep(LOOK_S)

    def work_one(self) -> bool:
        """Do one job, or put it off; whether there was one.

        Raises:
            StateBusyError, StateError: the database does not answer.
        """
        now_s = time.monotonic()
        leaving = [one for one, put_off in self._put_off.items() if put_off.until_s > now_s]
        job = self._state.claims.claim(self._kinds, alone=self._alone, leaving=leaving)
        if job is None:
            return False
        work = Work(job, self._state, self._blobs, self._options, self._ended)
        try:
            result = self._kinds[job.kind](work)
        except GivenUpError:
            self._put_down(work)
        except (StateError, DiskFullError) as error:
            if self._has_patience(job, error):
                self._say(work, self._state.claims.hand_back)
                return True
            self._fail(work, error)
        except LeafsightError as error:
            self._fail(work, error)
        except Exception:
            LOG.exception("a job failed", extra={"fields": {"job": job.id, "kind": job.kind}})
            self._say(work, lambda held: self._state.claims.finish(held, "failed", error=BUG))
        else:
            self._say(work, lambda held: self._state.claims.finish(held, "done", result=result))
        self._put_off.pop(job.id, None)
        self._tidy()
        return True

    def _has_patience(self, job: JobRecord, error: LeafsightError) -> bool:
        """Whether a job is put off: its store or database is in trouble, which says nothing about the job."""
        now_s = time.monotonic()
        before = self._put_off.get(job.id)
        since_s = now_s if before is None else before.since_s
        if now_s - since_s >= self._patience_s:
            return False
        self._put_off[job.id] = _PutOff(since_s, now_s + PAUSE_S)
        LOG.warning(
            "a job waits", extra={"fields": {"job": job.id, "kind": job.kind, "reason": error.message}}
        )
        return True

    def _fail(self, work: Work, error: LeafsightError) -> None:
        said = error.as_dict()
        self._say(work, lambda held: self._state.claims.finish(held, "failed", error=said))

    def _put_down(self, work: Work) -> None:
        """The process ends: somebody else begins again. Otherwise the job was cancelled, or is another's."""
        if self._ended():
            self._say(work, self._state.claims.hand_back)

    def _say(self, work: Work, words: Callable[[JobRecord], JobRecord | None]) -> None:
        """Write down how a job ended, however long the database takes to listen."""
        job = work.job
        for _ in range(MOST_WORDS_TRIES):
            try:
                said = words(job)
            except StateBusyError:
                time.sleep(LOOK_S)
                continue
            state = said.state if said is not None else "not ours any more"
            LOG.info("job", extra={"fields": {"job": job.id, "kind": job.kind, "state": state}})
            return
        LOG.warning("the end of a job could not be written", extra={"fields": {"job": job.id}})

    def _tidy(self) -> None:
        """Old reports, and what cancelled ones left behind."""
        with contextlib.suppress(LeafsightError):  # next time
            ahead = self._state.claims.ahead(["report"])
            Reports(self._blobs).forget_old([*ahead.free, *ahead.held])


def run_clerk(
    options: ServiceOptions,
    listening: Sequence[socket.socket],
    parent: Connection,
    others: Connection,
    word: str = WORK,
) -> None:
    """The process of a clerk: attend to the jobs, until there are none, or SIGTERM, or the parent is gone.

    Args:
        options: of the service.
        listening: sockets that are the workers'.
        parent: closes when the supervisor is gone.
        others: the supervisor's end of it.
        word: for whom was rung: the clerk, or the trainer.
    """
    from leafsight.state import open_blobs, open_state

    others.close()
    for one in listening:
        one.close()  # connections are the workers'
    ended = threading.Event()
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: ended.set())
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICE)
    write_json_lines()
    threading.Thread(target=_end_with_parent, args=(parent, ended), daemon=True).start()
    try:
        opened = open_state(options.database_url, busy_timeout_s=STATE_WAIT_S)
    except StateBusyError as error:  # whoever rang will ring again
        LOG.warning("the clerk goes home", extra={"fields": {"reason": error.message}})
        return
    with opened as state:
        blobs = open_blobs(options.blob_url)
        Clerk(state, blobs, options, ended.is_set, DOES[word], alone=word == TRAIN).attend()


def _end_with_parent(parent: Connection, ended: threading.Event) -> None:
    """The other end of the pipe closes when the supervisor is gone, whatever killed it."""
    with contextlib.suppress(EOFError, OSError):
        parent.recv()
    ended.set()
