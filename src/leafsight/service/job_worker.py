"""The job worker: clerk and trainer without HTTP, beside services that work no jobs off themselves.

Enters: the queue of jobs in the database. Leaves: jobs that ended. Nobody rings here: it looks once a second,
with one query. What services do every minute (``ticking``) it leaves to them; they do it once for all that
share a database.

It never ends because a database is away: it waits, says so, and goes on.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.errors import LeafsightError, StateBusyError
from leafsight.service.clerk import DOES, NICE, STATE_WAIT_S, Clerk
from leafsight.service.clerk_bell import RUNG_FOR, TRAIN
from leafsight.service.clerk_keeper import ClerkKeeper
from leafsight.service.heart import Heart
from leafsight.service.job_worker_seen import Lack, tell_of_worker
from leafsight.service.logs import careful, write_json_lines
from leafsight.service.options import ServiceOptions

if TYPE_CHECKING:
    from leafsight.state import State

ROUND_S = 0.1
LOOK_S = 1.0
"""Between two looks at the queue."""
TELL_S = 30.0
"""Between two words to the services that a job worker is there."""
SAY_AGAIN_S = 60.0
NEEDED = {
    "reports": ("pyarrow", "matplotlib"),
    "archives that are uploaded": ("pyarrow",),
    "retrainings": ("dbos",),
    "full retrainings": ("torch", "pyarrow"),
}
"""What is done here, and the libraries that it takes beyond those of every service."""


class JobWorker:
    """Looks for jobs and has them done, until it is told to end.

    Args:
        options: as of the services on the same database.
        say: told in one line each what happens.
        alive: file that is touched while it goes round.
    """

    def __init__(self, options: ServiceOptions, say: Callable[[str], None], alive: Path) -> None:
        self._options, self._say = replace(options, jobs="all"), careful(say)
        self._heart = Heart(alive)
        self._state: State | None = None
        self._end = False
        self._trouble, self._said_s = "", 0.0
        self._told_s: float | None = None
        context: Any = get_context("fork" if sys.platform == "linux" else "spawn")
        self._keeper = ClerkKeeper(
            self._options, (), context, self._say, before_start=self._let_go_of_connections
        )

    def run(self) -> int:
        """Work until SIGTERM or SIGINT; jobs that are not done then are handed back.

        Returns:
            0.

        Raises:
            StateError: the database does not let us in, or is not one that can be used.
        """
        self._listen()
        self._say(f"works off: {', '.join(kind for kinds in RUNG_FOR.values() for kind in kinds)}")
        for line in shortcomings():
            self._say(line)
        looked_s: float | None = None
        try:
            while not self._end:
                self._heart.beat()
                if looked_s is None or time.monotonic() - looked_s >= LOOK_S:
                    self._look()
                    looked_s = time.monotonic()
                self._keeper.look()
                time.sleep(ROUND_S)
            self._say("ending: jobs that are not done are handed back")
        finally:
            self._keeper.stop()
            self._let_go_of_connections()
            self._heart.stop()
        return 0

    def once(self) -> int:
        """Work off what is there, one job after another in this process; how many that were.

        Raises:
            StateBusyError, StateError: the database does not answer.
        """
        from leafsight.state import open_blobs, open_state

        self._listen()
        write_json_lines()
        if hasattr(os, "nice"):
            os.nice(NICE)
        with open_state(self._options.database_url, busy_timeout_s=STATE_WAIT_S) as state:
            blobs, ended = open_blobs(self._options.blob_url), lambda: self._end
            clerks = [
                Clerk(state, blobs, self._options, ended, kinds, alone=word == TRAIN)
                for word, kinds in DOES.items()
            ]
            done = 0
            while not self._end and any(clerk.work_one() for clerk in clerks):
                done += 1
        return done

    def _listen(self) -> None:
        for name in ("SIGTERM", "SIGINT"):
            signal.signal(getattr(signal, name), self._on_end)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _on_end(self, *_: object) -> None:
        self._end = True

    def _look(self) -> None:
        """Have somebody started for jobs that nobody holds."""
        try:
            if self._state is None:
                self._state = self._opened()
            self._tell(self._state)
            queues = self._state.claims.queues()
        except StateBusyError as error:
            self._wait_for(error)
        except LeafsightError as error:
            if self._state is None:
                raise  # it was never there: that is a slip, not a bad day
            self._wait_for(error)
        else:
            if self._trouble:
                self._say("the database answers again")
            self._trouble = ""
            for word, kinds in RUNG_FOR.items():
                if any(queues[kind].waiting for kind in kinds if kind in queues):
                    self._keeper.want(word)

    def _opened(self) -> State:
        from leafsight.state import open_state

        state = open_state(self._options.database_url, busy_timeout_s=STATE_WAIT_S)
        self._say(f"ready: looks for jobs in {state.database.address}")
        return state

    def _tell(self, state: State) -> None:
        now_s = time.monotonic()
        if self._told_s is None or now_s - self._told_s >= TELL_S:
            tell_of_worker(state, lack_of(self._options))
            self._told_s = now_s

    def _wait_for(self, error: LeafsightError) -> None:
        """Say what is waited for: at once, and then now and then."""
        now_s = time.monotonic()
        if error.message != self._trouble or now_s - self._said_s >= SAY_AGAIN_S:
            self._trouble, self._said_s = error.message, now_s
            self._say(f"waiting: {error.message}")

    def _let_go_of_connections(self) -> None:
        """No connection is open while a process is forked: two would use it. The next look opens another."""
        if self._state is not None:
            self._state.close()


def shortcomings() -> list[str]:
    """What will fail here because a library is missing, in one line each."""
    lacking = {what: [one for one in names if find_spec(one) is None] for what, names in NEEDED.items()}
    return [
        f"warning: {what} will fail here, {' and '.join(names)} is missing; pip install"
        f" 'leafsight[{'serve' if names == ['dbos'] else 'train'}]'"
        for what, names in lacking.items()
        if names
    ]


def lack_of(options: ServiceOptions) -> Lack:
    """What keeps this computer from the full path of a retraining."""
    if options.training_data is None:
        return "data"
    return "torch" if find_spec("torch") is None else ""
