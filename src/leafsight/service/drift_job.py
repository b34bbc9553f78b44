"""The look for drift, in the clerk: beside those who diagnose, not among them.

Enters: a job that is done over and over under one id, when photographs came since the last look. Leaves: the
mark of drift, and an alert where it began. For a model that is new it takes seconds of a core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leafsight.service.job_work import Work
from leafsight.service.registries import registry_of

if TYPE_CHECKING:
    from leafsight.state import State

KIND = "drift"
ONE_ID = "0" * 31 + "d"


def queue_look(state: State, model_id: str) -> bool:
    """Queue the look, if there is something new to be looked at; whether it was queued.

    Args:
        state: the database.
        model_id: content hash of the model in service.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    from leafsight.monitoring import drift_now
    from leafsight.state import JobRecord

    last, newest, now_ms = drift_now(state), state.predictions.page(limit=1).records, state.now()
    looked_ms = int(last.get("at_ms", 0))
    is_old = not newest or newest[0].created_ms <= looked_ms <= now_ms  # a time to come: the clock went back
    if last.get("model") == model_id and is_old:
        return False
    return state.jobs.again(
        JobRecord(id=ONE_ID, kind=KIND, state="queued", created_ms=now_ms, updated_ms=now_ms, request={})
    )


def look(work: Work) -> dict[str, Any]:
    """Look for drift.

    Returns:
        The result of the job.

    Raises:
        LeafsightError: the database does not answer, or the model cannot be read.
    """
    from leafsight.monitoring import Monitor

    options = work.options
    monitor = Monitor(work.state, registry_of(options), now_ms=work.state.now, model=options.model)
    work.step("looking for drift", "drift")
    found = monitor.look_for_drift()
    return {"state": found["state"], "said": found["said"]}
