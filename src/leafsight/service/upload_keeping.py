"""An upload that was stripped is written down, together with the job that looks into it.

Enters: what is kept and what was sent. Leaves: a blob, a record and a queued job. The blob comes first,
then the other two together: so nothing that was sent is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leafsight.service.parts import Parts
from leafsight.service.upload_stripping import Kept

if TYPE_CHECKING:
    from leafsight.state import JobRecord, UploadRecord


def keep_upload(
    parts: Parts, kept: Kept, sha: str, kind: str, label: str | None, key_id: str | None
) -> dict[str, Any]:
    """Keep an upload that came in one piece; ``id``, ``job`` and ``left_out``.

    Args:
        parts: of the process.
        kept: what is kept of it.
        sha: SHA-256 of what was sent, hex.
        kind: its media type.
        label: class of a photograph.
        key_id: whose it is.

    Raises:
        StateBusyError, StateError: the database or the store does not answer.
    """
    from leafsight.state import UploadRecord, new_id

    one = new_id()
    blob = f"uploads/{one}.{kept.ending}"
    parts.blobs.put(blob, kept.body)
    record = UploadRecord(
        id=one, created_ms=parts.now_ms(), name=blob.rpartition("/")[2], bytes=len(kept.body), sha256=sha,
        media_type=kind, label=label, blob=blob, key_id=key_id, state="waiting",
    )  # fmt: skip
    parts.state.uploads.add(record, job_for(parts, record, left_out=kept.left_out, notes=kept.notes))
    return {"id": one, "job": one, "left_out": kept.left_out}


def job_for(parts: Parts, upload: UploadRecord, *, left_out: int = 0, notes: Sequence[str] = ()) -> JobRecord:
    """The job that looks into an upload; by the same id, so that it is found from there."""
    from leafsight.state import JobRecord

    now_ms = parts.now_ms()
    return JobRecord(
        id=upload.id, kind="check-upload", state="queued", created_ms=now_ms, updated_ms=now_ms,
        request={"upload": upload.id, "key": upload.key_id, "left_out": left_out, "notes": [*notes]},
    )  # fmt: skip
