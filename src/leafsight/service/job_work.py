"""One job while it is worked off: how far it is, whether anybody still wants it, and what a child says.

Enters: a job that is held, and lines of progress. Leaves: heartbeats in the database. It does not know what
the job does.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.errors import LeafsightError, MissingExtraError, StateBusyError, StorageError
from leafsight.service.child_process import NOTHING_MORE, Ended, run_child

if TYPE_CHECKING:
    from leafsight.service.options import ServiceOptions
    from leafsight.state import Blobs, JobRecord, State

MOST_PRINTED_BYTES = 128 * 1024**2
# As room ``progress`` writes them: "label: started", "label: 12/40 a note", "label: done in 1.2 s".
_STARTED = re.compile(r"(.{1,200}): started")
_COUNTED = re.compile(r"(.{1,200}): ([0-9]{1,12})(?:/([0-9]{1,12}))?(?: .*)?")
_DONE = re.compile(r"(.{1,200}): done in .*")
# Of a program that works in parts: the part that begins and how many of how many ended before, seconds left,
# and numbers.
_PART = re.compile(r"step: ([a-z]{1,40}) ([0-9]{1,4})/([0-9]{1,4})")
_ETA = re.compile(r"eta: ([0-9]{1,9})")
_METRICS = re.compile(r"metrics: (\{.{0,2000}\})")
MOST_METRICS = 20
DONE_STEPS = "done_steps"
LASTING = ("part", DONE_STEPS, "steps", "metrics", "eta_s")
"""What stays in the progress while lines of one part come in."""
MOST_DEATHS = 3
"""A child that was killed this often without an end of a step between is not begun again."""


class GivenUpError(Exception):
    """Nobody wants this job any more, or somebody else holds it."""


class ChildFailedError(LeafsightError):
    """A child ended without what it was asked for; says what the child said."""

    slug = "job"


@dataclass(slots=True)
class Work:
    """A job in the hands of this process.

    Attributes:
        job: as it was written last.
        state: the database.
        blobs: the store.
        options: of the service.
        ended: whether this process shall end.
        progress: what the next heartbeat says.
    """

    job: JobRecord
    state: State
    blobs: Blobs
    options: ServiceOptions
    ended: Callable[[], bool]
    progress: dict[str, Any] = field(default_factory=dict)

    def wanted(self) -> bool:
        """Say how far it is; whether it is still to be done, and by us.

        A database that does not answer is no reason to stop: if another takes the job, what we write about it
        later is not taken.
        """
        if self.ended():
            return False
        try:
            job = self.state.claims.beat(self.job, self.progress)
        except StateBusyError:
            return True
        if job is None:
            return False
        self.job = job
        return True

    def go_on(self) -> None:
        """Say how far it is.

        Raises:
            GivenUpError: it is not wanted any more.
        """
        if not self.wanted():
            raise GivenUpError

    def __post_init__(self) -> None:
        """What an earlier holder ended is ended: saying less would count as no progress."""
        steps = self.job.progress.get(DONE_STEPS)
        if steps and DONE_STEPS not in self.progress:
            self.progress = {**self.progress, DONE_STEPS: steps}

    def step(self, step: str, part: str = "") -> None:
        """A new step begins."""
        self.progress = {"part": part or self.progress.get("part", ""), "step": step}

    def heard(self, line: str) -> None:
        """Take what a child says on stderr as progress, if it is that."""
        kept = {"part": ""} | {name: self.progress[name] for name in LASTING if name in self.progress}
        if found := _PART.fullmatch(line):
            done, steps = int(found[2]), int(found[3])
            self.progress = {"part": found[1], "step": found[1], DONE_STEPS: done, "steps": steps}
        elif found := _ETA.fullmatch(line):
            self.progress = {**self.progress, "eta_s": int(found[1])}
        elif found := _METRICS.fullmatch(line):
            told = {**self.progress.get("metrics", {}), **_numbers(found[1])}
            self.progress = {**self.progress, "metrics": dict(list(told.items())[-MOST_METRICS:])}
        elif found := _STARTED.fullmatch(line):
            self.progress = {**kept, "step": found[1]}
        elif found := _COUNTED.fullmatch(line):
            done, total = int(found[2]), int(found[3] or 0)
            share = {"total": total, "share": min(1.0, done / total)} if total else {}
            self.progress = {**kept, "step": found[1], "done": done, **share}
        elif found := _DONE.fullmatch(line):
            self.progress = {**kept, "step": found[1], "share": 1.0}

    def child(
        self,
        module: str,
        words: Sequence[str],
        printed: Path,
        *,
        timeout_s: float,
        environment: Mapping[str, str] = NOTHING_MORE,
    ) -> Ended:
        """Run a program, as long as the job is wanted.

        Args:
            module: to run.
            words: of its command.
            printed: the file for what it prints.
            timeout_s: after so long it is ended.
            environment: added to what it inherits; the place for secrets, which others can read in words.

        Raises:
            GivenUpError: it is not wanted any more.
        """
        ended = run_child(
            module,
            words,
            printed,
            told=self.heard,
            wanted=self.wanted,
            timeout_s=timeout_s,
            environment=environment,
        )
        if ended is None:
            raise GivenUpError
        return ended

    def lasting_child(
        self,
        module: str,
        words: Sequence[str],
        printed: Path,
        *,
        timeout_s: float,
        environment: Mapping[str, str] = NOTHING_MORE,
    ) -> Ended:
        """Run a program that goes on where it was: begun again when something killed it.

        As ``child``. Who is killed ``MOST_DEATHS`` times in one and the same step is not begun again.
        """
        until = time.monotonic() + timeout_s
        deaths, ended_steps = 0, self.progress.get(DONE_STEPS, 0)
        while True:
            left_s = until - time.monotonic()
            ended = self.child(module, words, printed, timeout_s=left_s, environment=environment)
            if ended.status >= 0 or time.monotonic() >= until:
                return ended
            now = self.progress.get(DONE_STEPS, 0)
            deaths = 1 if now > ended_steps else deaths + 1
            ended_steps = now
            if deaths >= MOST_DEATHS:
                return ended


def _numbers(text: str) -> dict[str, float]:
    """The finite numbers of a JSON object, as a child told them."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    numbers = {
        str(name)[:60]: value
        for name, value in told.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    }
    return dict(list(numbers.items())[:MOST_METRICS])


def need(*libraries: str) -> None:
    """Say at once what a child would stumble over, without loading it here.

    Raises:
        MissingExtraError: a library is not installed.
    """
    for library in libraries:
        if find_spec(library) is None:
            raise MissingExtraError(library, "train")


def printed_json(ended: Ended, folder: Path) -> dict[str, Any]:
    """What a child printed.

    Args:
        ended: the child.
        folder: of temporary files, whose path nobody needs to see.

    Raises:
        ChildFailedError: it printed no JSON; the error says what it said.
        StorageError: it printed too much.
    """
    if ended.printed.stat().st_size > MOST_PRINTED_BYTES:
        raise StorageError("the findings are too large to be shown", hint="make a smaller collection of it")
    try:
        said = json.loads(ended.printed.read_bytes())
    except ValueError:
        said = None
    if isinstance(said, dict):
        return said
    raise _failed(ended, folder)


def _failed(ended: Ended, folder: Path) -> ChildFailedError:
    """The line "error: ..." and the line "hint: ..." of the command line, else how it ended."""
    words = {"error": "", "hint": ""}
    for line in ended.lines:
        kind, _, rest = line.replace(f"{folder}/", "").partition(": ")
        if kind in words:
            words[kind] = rest
    message = words["error"] or f"the program that did this ended with {ended.status}"
    if ended.status < 0:
        message = f"the program that did this was killed (signal {-ended.status})"
        words["hint"] = "there may be too little memory, or it took too long"
    return ChildFailedError(message[:1000], hint=words["hint"][:1000])
