"""Looks into an upload: what is in it, what cannot be used, what is in it twice.

Enters: a job that names an upload. Leaves: the upload ``checked`` or ``refused``, and the findings as the
result of the job. What is kept stays, whatever is found. Archives are opened in a process of
their own (``upload_check``).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.errors import ImageError, NotFoundError
from leafsight.images import DecodeLimits, decode
from leafsight.service.job_work import Work, need, printed_json
from leafsight.service.upload_check import nothing_found

if TYPE_CHECKING:
    from leafsight.state import UploadRecord

TIMEOUT_S = 1800.0
LOOKED_AT_SIDE_PX = 256
PROGRAM = "leafsight.service.upload_check"


def check_upload(work: Work) -> dict[str, Any]:
    """Look into the upload that ``work.job`` names.

    Returns:
        The result of the job.

    Raises:
        MissingExtraError: it is an archive, and pyarrow is not installed; the upload goes on waiting.
        NotFoundError: there is no such upload.
        LeafsightError: it could not be looked into for a reason that is not its own.
        GivenUpError: the job was cancelled.
    """
    upload = work.state.uploads.get(str(work.job.request["upload"]))
    if upload is None:
        raise NotFoundError("the upload is not there")
    work.step("looking", "upload")
    if upload.media_type.startswith("image/"):
        found = _photograph(work, upload)
    else:
        need("pyarrow")
        found = _archive(work, upload)
    work.go_on()
    state = "refused" if found["refused"] else "checked"
    work.state.uploads.set_state(upload.id, state)
    asked = work.job.request
    found["notes"] = [*asked.get("notes", ()), *found["notes"]]  # of what was left out before it was kept
    return {"upload": upload.id, "state": state, **found, "left_out": asked.get("left_out", 0)}


def _photograph(work: Work, upload: UploadRecord) -> dict[str, Any]:
    """One photograph is opened here, as the workers open those that they diagnose."""
    label = upload.label or ""
    limits = DecodeLimits(max_bytes=work.options.max_image_bytes, max_pixels=work.options.max_image_pixels)
    try:
        decode(work.blobs.get(upload.blob), limits=limits, wanted_side_px=LOOKED_AT_SIDE_PX)
    except ImageError as error:
        return {
            **nothing_found(),
            "photographs": 1,
            "refused": {"message": error.message, "hint": error.hint},
        }
    counts = {label: 1} if label else {}
    notes = [] if label else ["no class was given with it"]
    return {**nothing_found(), "photographs": 1, "usable": 1, "classes": len(counts),
            "class_counts": counts, "notes": notes}  # fmt: skip


def _archive(work: Work, upload: UploadRecord) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="leafsight-upload-") as made:
        folder = Path(made)
        file = (
            folder / f"upload.{upload.name.partition('.')[2]}"
        )  # the id says nothing to who reads the findings
        file.write_bytes(work.blobs.get(upload.blob))
        words = [
            str(file), "--max-bytes", str(work.options.max_image_bytes),
            "--max-pixels", str(work.options.max_image_pixels),
        ]  # fmt: skip
        return printed_json(work.child(PROGRAM, words, folder / "found.json", timeout_s=TIMEOUT_S), folder)
