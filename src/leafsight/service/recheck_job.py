"""What waits in quarantine is judged again when what it is judged by has changed.

Enters: a job, queued when a class was declared or taken back, or another model serves. Leaves: new findings
on what waits; what people decided stays. Photographs that another backbone has seen are opened again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leafsight.images import DecodeLimits
from leafsight.service.correction_job import champion_of
from leafsight.service.job_work import Work
from leafsight.service.newly_accepted import trained_ms

if TYPE_CHECKING:
    from leafsight.state import State

KIND = "recheck"
MARK = "rechecked"
"""The model by which what waits was judged last."""


def queue_recheck(state: State) -> str:
    """Let the clerk judge again what waits; the job that is queued already is the answer.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    from leafsight.state import JobRecord, new_id

    now_ms = state.now()
    job = JobRecord(id=new_id(), kind=KIND, state="queued", created_ms=now_ms, updated_ms=now_ms, request={})
    return state.jobs.add_alone(job).id


def recheck_where_another_serves(state: State, model_id: str) -> bool:
    """Queue it when another model serves than at the last look; whether it was queued.

    Args:
        state: the database.
        model_id: content hash of the model in service.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    last = state.marks.get(MARK)
    if last is not None and last.get("model") == model_id:
        return False
    queue_recheck(state)  # first: a kill in between queues it once more, which changes nothing
    return state.marks.put(MARK, {"model": model_id}, expected=last)


def recheck_waiting(work: Work) -> dict[str, Any]:
    """Judge again what waits; done twice, it changes nothing the second time.

    Returns:
        The result of the job.

    Raises:
        LeafsightError: the model that serves cannot be read, or the database does not answer.
    """
    from leafsight.feedback import recheck
    from leafsight.inference import BundlePredictor

    champion = champion_of(work)
    options = work.options
    limits = DecodeLimits(max_bytes=options.max_image_bytes, max_pixels=options.max_image_pixels)
    work.step("judging again", "quarantine")
    done = recheck(
        work.state,
        champion,
        blobs=work.blobs,
        predictor=BundlePredictor(champion.bundle, limits=limits),
        most_per_source=options.most_per_source,
        since_ms=trained_ms(work.state),
    )
    return {"judged": done.judged, "changed": done.changed, "unseen": done.unseen}
