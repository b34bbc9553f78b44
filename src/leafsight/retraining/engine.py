"""DBOS as we use it: one workflow a process, plain JSON in its rows, nothing listened to, nothing sent.

Enters: where the rows lie, which job, a workflow. Leaves: what the workflow gave, whichever process began it.
It does not know what the steps do.

DBOS reads a row by the format that the row names, and its own default is pickle. Whoever can write into the
database could so run code in the trainer. The class that does this is taken out of service here, so that such
a row is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, _serialization

from leafsight.errors import StateError
from leafsight.retraining.failing import StepFailedError

VERSION = "leafsight-retraining-1"
"""Of the order of the steps: another order gets another version, and finds no rows of this one."""
SCHEMA = "leafsight_retraining"
LOOK_S = 0.2


def refuse_pickle() -> None:
    """Let no row of the database be unpickled, whatever it says about itself. Holds for this process."""

    def written(_self: object, data: object) -> str:
        return json.dumps(str(data))

    def refused(_self: object, _text: object) -> NoReturn:
        raise StateError(
            "a row of the retraining's steps is not JSON, and nothing else is read",
            hint="somebody else wrote into its database; begin another retraining",
        )

    for name, method in (("serialize", written), ("deserialize", refused)):
        setattr(_serialization.DefaultSerializer, name, method)


@contextmanager
def running(system_database_url: str, job: str) -> Iterator[None]:
    """DBOS, up within the block.

    Args:
        system_database_url: as SQLAlchemy writes it; its tables are made in it.
        job: whose workflow is to be worked on; those of other jobs are left alone.
    """
    refuse_pickle()
    DBOS(config=_config(system_database_url, job))
    try:
        DBOS.launch()
        yield
    finally:
        DBOS.destroy()


def result_of(workflow: Callable[[str], dict[str, Any]], job: str) -> dict[str, Any]:
    """What the workflow of a job gives: begun, gone on with, or ended long ago.

    Raises:
        StepFailedError: a step of it failed, now or then.
        StateError: a row of it is not JSON.
        Exception: a bug of ours.
    """
    # What was begun and not ended, ``launch`` has taken up; then this begins nothing, it only waits.
    with SetWorkflowID(job):
        handle = DBOS.start_workflow(workflow, job)
    try:
        found: dict[str, Any] = handle.get_result(polling_interval_sec=LOOK_S)
    except StepFailedError:
        raise
    except Exception as error:
        data = getattr(error, "data", None)
        if isinstance(data, dict) and "message" in data:
            raise StepFailedError(data) from error
        raise
    return found


def step(name: str, do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do something once in the life of the workflow that this is called in, and know it for good."""
    return DBOS.run_step({"name": name}, do)


def forget(jobs: Sequence[str]) -> None:
    """Remove the rows of workflows that nobody asks for any more."""
    if jobs:
        DBOS.delete_workflows(list(jobs))


def _config(system_database_url: str, job: str) -> DBOSConfig:
    return {
        "name": "leafsight-retraining",
        "system_database_url": system_database_url,
        "dbos_system_schema": SCHEMA,
        # Of its own for each job: a process takes up what was begun under its version only.
        "application_version": f"{VERSION}-{job}",
        "executor_id": job,
        "serializer": DBOSPortableJSONSerializer(),
        "enable_otlp": False,
        "use_listen_notify": False,
        "log_level": "CRITICAL",
        "max_executor_threads": 4,
        "notification_listener_polling_interval_sec": 0.1,
        "sys_db_pool_size": 4,
    }
