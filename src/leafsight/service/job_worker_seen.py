"""What a service that works no jobs off knows of who does: the job worker's last word, in the database.

Enters: a word of the job worker every half minute. Leaves: whether one is there, and what it lacks. Of
several job workers the last one to speak is heard: all of them are to be started alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from leafsight.service.options import ServiceOptions
    from leafsight.state import State

MARK = "job-worker"
SILENT_MS = 180_000
"""After so long it is told that nobody works. Six words are missing then."""
Lack = Literal["", "data", "torch"]
NO_DATA = "this server was started without the original photographs"
NEVER_SEEN = "no job worker has said yet whether it has the original photographs"
WORKER_LACKS: dict[str, str] = {
    "data": "the job worker was started without the original photographs",
    "torch": "the job worker was installed without torch",
}
HERE = "this server works them off"
ELSEWHERE = "a job worker works them off"
NOBODY = "no job worker is there: jobs wait until leafsight work is started"


def tell_of_worker(state: State, lacks: Lack) -> None:
    """Say that a job worker is there.

    Args:
        state: the database.
        lacks: what keeps it from the full path of a retraining; empty when nothing does.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    state.marks.put(MARK, {"at_ms": state.now(), "lacks": lacks})


def full_path_why_not(state: State, options: ServiceOptions) -> str:
    """Why there is no full retraining; empty when there is one.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    if options.jobs == "all":
        return "" if options.training_data else NO_DATA
    said = state.marks.get(MARK)
    return NEVER_SEEN if said is None else WORKER_LACKS.get(said["lacks"], "")


def jobs_health(state: State, jobs: Literal["all", "none"]) -> dict[str, Any]:
    """Whether somebody works jobs off, and a sentence.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    if jobs == "all":
        return {"ok": True, "said": HERE}
    said = state.marks.get(MARK)
    # Both ways: a time that lies far ahead was written by a clock that was wrong.
    there = said is not None and abs(state.now() - said["at_ms"]) <= SILENT_MS
    return {"ok": there, "said": ELSEWHERE if there else NOBODY}
