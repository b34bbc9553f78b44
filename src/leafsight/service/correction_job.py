"""A corrected photograph goes into quarantine, like one that somebody sent.

Enters: a job that names a correction. Leaves: a contribution, when the photograph is kept and a class was
given. It is done by the clerk and not when the correction comes: judging it takes the memory of the model,
which is large, and nobody who corrects should wait for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leafsight.errors import NotFoundError
from leafsight.images import DecodeLimits
from leafsight.service.job_work import Work
from leafsight.service.newly_accepted import trained_ms
from leafsight.service.registries import registry_of

if TYPE_CHECKING:
    from leafsight.feedback import Champion
    from leafsight.service.parts import Parts
    from leafsight.state import CorrectionRecord, JobRecord

KIND = "correction"


def job_for_correction(parts: Parts, correction: CorrectionRecord) -> JobRecord:
    """The job that takes a correction into quarantine, by the same id."""
    from leafsight.state import JobRecord

    now_ms = parts.now_ms()
    return JobRecord(
        id=correction.id, kind=KIND, state="queued", created_ms=now_ms, updated_ms=now_ms,
        request={"prediction": correction.prediction_id, "key": correction.key_id},
    )  # fmt: skip


def take_correction(work: Work) -> dict[str, Any]:
    """Take the correction into quarantine that ``work.job`` names; done twice, it is there once.

    Returns:
        The result of the job.

    Raises:
        NotFoundError: there is no such correction.
        LeafsightError: the photograph cannot be read, or the model that serves cannot.
    """
    from leafsight.feedback import contribution_of_correction

    asked, options = work.job.request, work.options
    prediction = work.state.predictions.get(str(asked["prediction"]))
    found = work.state.corrections.of(str(asked["prediction"]))
    correction = next((one for one in found if one.id == work.job.id), None)
    if prediction is None or correction is None:
        raise NotFoundError("the correction is not there")
    if any(work.state.contributions.get(one.id) is not None for one in found):
        # Its photograph is in quarantine already: to judge it again would change nothing.
        return {"contribution": None}
    work.step("looking", "correction")
    made = contribution_of_correction(
        work.state,
        work.blobs,
        prediction,
        correction,
        champion_of(work),
        limits=DecodeLimits(max_bytes=options.max_image_bytes, max_pixels=options.max_image_pixels),
        most_per_source=options.most_per_source,
        since_ms=trained_ms(work.state),
    )
    return {"contribution": None if made is None else made.id}


def champion_of(work: Work) -> Champion:
    """The model that serves, as the workers take it."""
    from leafsight.feedback import Champion
    from leafsight.registry import SERVING

    if work.options.model is not None:
        return Champion(work.options.model)
    registry = registry_of(work.options)
    return Champion(registry.bundle(registry.get(SERVING)))
