"""Has a retraining done, by a program of its own.

Enters: a job that says which path. Leaves: what came of it, as the program printed it. How a model is
trained, judged and published, ``leafsight.retraining`` knows; this room only starts it by its name.

What is accepted is counted before the program looks: so a photograph that is accepted meanwhile counts as
new afterwards, even where it was still in time.
"""

from __future__ import annotations

import contextlib
import json
import logging
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from leafsight.errors import LeafsightError, MissingExtraError
from leafsight.service.job_work import Work, printed_json
from leafsight.service.newly_accepted import note_begun, note_trained

TIMEOUT_S = 7 * 24 * 3600.0
PROGRAM = "leafsight.retraining.program"
TOLD = "LEAFSIGHT_RETRAINING"
"""The environment variable with everything that the program has to know. There may be a password in it."""
THREADS = 1
LOG = logging.getLogger("leafsight.service")


def retrain(work: Work) -> dict[str, Any]:
    """Have the retraining done that ``work.job`` asks for; where it was begun before, it goes on.

    Returns:
        The result of the job.

    Raises:
        MissingExtraError: the library that every path needs is not installed.
        LeafsightError: it failed.
        GivenUpError: the job was cancelled.
    """
    # First of all: one that failed counts as begun, else the same photographs would begin one every minute.
    note_begun(work.state, work.job.id)
    work.step("starting", "snapshot")
    try:
        if find_spec("dbos") is None:  # looked for, not loaded: that takes seconds, and the program does it
            raise MissingExtraError("dbos", "serve")
        result = _done(work)
    except LeafsightError as error:
        _tell(work, error)
        raise
    note_trained(work.state, work.job.id)
    return result


def _done(work: Work) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="leafsight-retraining-") as made:
        folder = Path(made)
        ended = work.lasting_child(
            PROGRAM, [], folder / "printed.json", timeout_s=TIMEOUT_S, environment={TOLD: _told(work)}
        )
        if ended.status != 0:  # a bug there tells nobody else of itself
            LOG.warning("the program failed", extra={"fields": {"job": work.job.id, "said": ended.lines}})
        return printed_json(ended, folder)


def _tell(work: Work, error: LeafsightError) -> None:
    """Somebody may be waiting for the new model; that it failed stands in the job, too."""
    from leafsight.monitoring import alert

    with contextlib.suppress(LeafsightError):
        alert(
            work.state, "retraining_failed", error.message, hint=error.hint,
            details={"job": work.job.id}, event=work.job.id, now_ms=work.state.now(),
        )  # fmt: skip


def _told(work: Work) -> str:
    options, asked = work.options, work.job.request
    return json.dumps(
        {
            "job": work.job.id,
            "path": asked["path"],
            "why": asked.get("why", ""),
            "by": asked.get("by", ""),
            "reason": asked.get("reason", ""),
            "database_url": options.database_url,
            "blob_url": options.blob_url,
            "registry_dir": str(options.registry_dir),
            "registry_url": options.registry_url,
            "work_dir": str(options.learning_dir),
            "promote": options.promote,
            "most_per_source": options.most_per_source,
            "gate": dict(options.gate),
            "training_data": str(options.training_data) if options.training_data else None,
            "watch_minutes": options.watch_minutes,
            "max_image_bytes": options.max_image_bytes,
            "max_image_pixels": options.max_image_pixels,
            "threads": THREADS,
        }
    )
