"""Retrainings as they are asked for and answered: jobs of one kind, and files that they left in the store.

Enters: wishes, records, blobs. Leaves: plain values as the contract has them. How a model is trained and
judged, ``leafsight.retraining`` knows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from leafsight.bundle import companion_of
from leafsight.errors import NotFoundError
from leafsight.service.job_worker_seen import full_path_why_not
from leafsight.service.newly_accepted import BEGUN, accepted, since
from leafsight.service.pages import cursor_of
from leafsight.service.parts import Parts

if TYPE_CHECKING:
    from leafsight.state import JobRecord, State

KIND = "retraining"
FOLDER = "retrainings"
MEMORY = "memory.json"
PAGE_FILE = "gate.html"
MAX_FILE_BYTES = 64 * 1024**2
NO_MEMORY = "the model in service remembers nothing of the photographs that it was made from"
HAND, COUNT, SCHEDULE, DRIFT = "hand", "count", "schedule", "drift"


def ask_for(state: State, *, path: str, why: str, by: str, reason: str = "") -> JobRecord:
    """A retraining that waits for its turn: a new one, or the one of this path that waits already.

    Args:
        state: the database.
        path: ``quick`` or ``full``.
        why: ``hand``, ``count``, ``schedule`` or ``drift``.
        by: who asks.
        reason: in their words.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    from leafsight.state import JobRecord, new_id

    now_ms = state.now()
    job = JobRecord(
        id=new_id(), kind=KIND, state="queued", created_ms=now_ms, updated_ms=now_ms,
        request={"path": path, "why": why, "by": by, "reason": reason},
    )  # fmt: skip

    def is_it(found: JobRecord) -> bool:
        if found.state == "queued":
            return found.request.get("path") == path
        # While one runs a person may ask for another: it may know less than what is accepted now.
        return why != HAND and found.request == job.request

    return state.jobs.add_unless(job, is_it)


def under_way(state: State) -> list[JobRecord]:
    """Retrainings that have not ended, oldest first."""
    ahead = state.claims.ahead([KIND])
    found = state.jobs.some([*ahead.free, *ahead.held])
    return [found[id] for id in sorted(found)]  # noqa: A001


def page(parts: Parts, after: str | None, limit: int) -> dict[str, Any]:
    """Retrainings, newest first, and what would begin the next one."""
    found = parts.state.jobs.page(after, limit, kind=KIND)
    return {
        "retrainings": [plain_retraining(one) for one in found.records],
        "next": cursor_of(found.next),
        "trigger": trigger(parts),
        "paths": paths(parts),
    }


def one_retraining(parts: Parts, id: str) -> dict[str, Any]:  # noqa: A002
    """A retraining with its gate and its training set.

    Raises:
        NotFoundError: there is none of this id.
    """
    return {
        **plain_retraining(retraining_of(parts, id)),
        "gate": report_values(parts, id),
        "snapshot": _file(parts, id, "snapshot-summary.json"),
    }


def retraining_of(parts: Parts, id: str) -> JobRecord:  # noqa: A002
    """The job of a retraining.

    Raises:
        NotFoundError: there is none of this id.
    """
    found = parts.state.jobs.get(id)
    if found is None or found.kind != KIND:
        raise NotFoundError(f"there is no retraining {id}", hint="ids stand in the answer of /v1/retraining")
    return found


def report_of(parts: Parts, id: str) -> bytes:  # noqa: A002
    """The page of the gate.

    Raises:
        NotFoundError: there is no such retraining, or it has not come to its gate.
    """
    retraining_of(parts, id)
    try:
        return parts.blobs.get(f"{FOLDER}/{id}/{PAGE_FILE}", max_bytes=MAX_FILE_BYTES)
    except NotFoundError as error:
        raise NotFoundError(
            f"the retraining {id} has no report", hint="it has one when it has come to its gate"
        ) from error


def report_values(parts: Parts, id: str) -> dict[str, Any] | None:  # noqa: A002
    """What the gate of a retraining said, as values; None where it has not come to it."""
    return _file(parts, id, "gate.json")


def plain_retraining(one: JobRecord) -> dict[str, Any]:
    """A retraining as it is answered."""
    asked = one.request
    return {
        "id": one.id, "created_at": one.created_ms, "state": one.state, "path": asked.get("path", "quick"),
        "why": asked.get("why", HAND), "by": asked.get("by", ""), "reason": asked.get("reason", ""),
        "progress": one.progress, "result": one.result, "error": one.error,
    }  # fmt: skip


def trigger(parts: Parts) -> dict[str, Any]:
    """What begins a retraining by itself, and how near that is."""
    options = parts.options
    return {
        "accepted_since": since(parts.state.marks.get(BEGUN), accepted(parts.state)),
        "after": options.retrain_after,
        "every_hours": options.retrain_every_h,
        "on_drift": options.retrain_on_drift,
    }


def paths(parts: Parts) -> dict[str, Any]:
    """Which ways to train there are here, and why not."""
    bundle = parts.model.now.predictor.bundle
    # Whether there is one, without reading it: it is large.
    remembers = MEMORY in bundle.manifest.parts or companion_of(bundle.path).is_file()
    return {
        "quick": {"why_not": "" if remembers else NO_MEMORY},
        "full": {"why_not": full_path_why_not(parts.state, parts.options)},
    }


def _file(parts: Parts, id: str, name: str) -> dict[str, Any] | None:  # noqa: A002
    try:
        said = json.loads(parts.blobs.get(f"{FOLDER}/{id}/{name}", max_bytes=MAX_FILE_BYTES))
    except NotFoundError:
        return None
    return said if isinstance(said, dict) else None
