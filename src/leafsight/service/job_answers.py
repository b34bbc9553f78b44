"""Jobs and uploads as they are answered, and who may see them.

Enters: records. Leaves: plain values as the contract has them (``listings``), and errors for what is not
there or somebody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leafsight.errors import NotFoundError
from leafsight.service.access import Caller
from leafsight.service.parts import Parts


def with_jobs(parts: Parts, found: Sequence[Any]) -> list[dict[str, Any]]:
    """Uploads as they are answered, each with the job that looks into it.

    The jobs are read after the uploads. One that ended in between has made its upload's state an old one, and
    nobody would look again at a job that is done: so the state that it says it set is the one that is told.
    """
    jobs = parts.state.jobs.some([one.id for one in found])
    return [
        {
            "id": one.id, "created_at": one.created_ms, "name": one.name, "bytes": one.bytes,
            "sha256": one.sha256, "media_type": one.media_type, "label": one.label,
            "state": _state(one, jobs.get(one.id)),
            "job": plain_job(jobs[one.id]) if one.id in jobs else None,
        }
        for one in found
    ]  # fmt: skip


def _state(upload: Any, job: Any | None) -> str:
    said = job.result.get("state") if job is not None and job.state == "done" and job.result else None
    return said or str(upload.state)


def upload_of(parts: Parts, id: str, caller: Caller) -> Any:  # noqa: A002
    """An upload, if the caller may see it: their own, or all with the scope admin.

    Raises:
        NotFoundError: there is none of this id, or it is another's.
    """
    found = parts.state.uploads.get(id)
    if found is None or not _may_see(caller.key, found.key_id):
        raise NotFoundError(f"there is no upload {id}", hint="ids stand in the answers of /v1/uploads")
    return found


def job_of(parts: Parts, id: str, caller: Caller | None = None) -> Any:  # noqa: A002
    """A job, if the caller may see it: of their own uploads, or all with the scope admin.

    Raises:
        NotFoundError: there is none of this id, or it is another's.
    """
    found = parts.state.jobs.get(id)
    if found is None or (caller is not None and not _may_see(caller.key, found.request.get("key"))):
        raise NotFoundError(f"there is no job {id}", hint="ids stand in the answers that began them")
    return found


def plain_job(found: Any) -> dict[str, Any]:
    """A job as it is answered."""
    return {
        "id": found.id, "kind": found.kind, "state": found.state, "created_at": found.created_ms,
        "updated_at": found.updated_ms, "progress": found.progress, "result": found.result,
        "error": found.error,
    }  # fmt: skip


def _may_see(key: Any, owner: str | None) -> bool:
    return key is None or "admin" in key.scopes or key.id == owner
