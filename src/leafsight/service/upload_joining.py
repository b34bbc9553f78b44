"""Joins the parts of an upload and keeps it, in a process of its own: a large one takes much memory.

Enters: names of blobs, in order. Leaves: one blob, stripped as every upload is, and its record with the job
that looks into it. The process is ``python -m leafsight.service.upload_joining``; it knows the store and no
database.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from leafsight import errors
from leafsight.errors import ConflictError, LeafsightError
from leafsight.service.child_process import run_child
from leafsight.service.job_work import printed_json
from leafsight.service.upload_keeping import job_for
from leafsight.storage import mind

if TYPE_CHECKING:
    from leafsight.service.parts import Parts

TIMEOUT_S = 600.0
PROGRAM = "leafsight.service.upload_joining"
TOLD = "LEAFSIGHT_JOINING"
ALONE = Lock()
"""One at a time in a process of the service."""


def join(parts: Parts, id: str, mark: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:  # noqa: A002
    """Make an upload of its parts; where it is there already, nothing.

    Args:
        parts: of the process.
        id: of the upload.
        mark: ``kind``, ``label`` and ``key``.
        names: of the blobs.

    Returns:
        ``upload``, ``job`` and ``left_out``.

    Raises:
        ImageError, DatasetError: what was sent cannot be kept.
        LeafsightError: it failed for another reason.
    """
    with ALONE:
        if parts.state.uploads.get(id) is None:
            made = _made(parts, id, mark, names)
            with contextlib.suppress(ConflictError):  # another process was quicker, with the same bytes
                _keep(parts, id, mark, made)
        job = parts.state.jobs.get(id)
    left_out = int(job.request.get("left_out", 0)) if job else 0
    return {"upload": id, "job": id, "left_out": left_out}


def _made(parts: Parts, id: str, mark: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:  # noqa: A002
    options = parts.options
    told = {
        "id": id, "kind": mark["kind"], "names": list(names), "blob_url": options.blob_url,
        "max_image_bytes": options.max_image_bytes, "max_image_pixels": options.max_image_pixels,
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="leafsight-joining-") as folder:
        ended = run_child(
            PROGRAM, [], Path(folder) / "printed.json", told=lambda line: None, wanted=lambda: True,
            timeout_s=TIMEOUT_S, environment={TOLD: json.dumps(told)},
        )  # fmt: skip
        assert ended is not None
        said = printed_json(ended, Path(folder))
    if "refused" in said:
        raise _error(said["refused"])
    return said


def _keep(parts: Parts, id: str, mark: Mapping[str, Any], made: Mapping[str, Any]) -> None:  # noqa: A002
    from leafsight.state import UploadRecord

    record = UploadRecord(
        id=id, created_ms=parts.now_ms(), name=made["blob"].rpartition("/")[2], bytes=made["bytes"],
        sha256=made["sha256"], media_type=mark["kind"], label=mark["label"], blob=made["blob"],
        key_id=mark["key"], state="waiting",
    )  # fmt: skip
    parts.state.uploads.add(record, job_for(parts, record, left_out=made["left_out"], notes=made["notes"]))


def _error(said: Mapping[str, str]) -> LeafsightError:
    """The error that the child met, with its own status."""
    kinds = {one.slug: one for one in vars(errors).values() if isinstance(one, type) and hasattr(one, "slug")}
    found: LeafsightError = kinds.get(said["type"], errors.DatasetError)(said["message"], hint=said["hint"])
    return found


def main() -> int:
    """Join what the environment names, and print what was made of it."""
    from leafsight.errors import DatasetError, ImageError
    from leafsight.images import DecodeLimits
    from leafsight.service.upload_stripping import strip_upload
    from leafsight.service.upload_types import check_signature
    from leafsight.state import open_blobs

    told = json.loads(os.environ.pop(TOLD))
    limits = DecodeLimits(max_bytes=told["max_image_bytes"], max_pixels=told["max_image_pixels"])
    try:
        blobs = open_blobs(told["blob_url"])
        body = b"".join([blobs.get(name) for name in told["names"]])
        check_signature(told["kind"], body)
        kept = strip_upload(body, told["kind"], limits)
        blob = f"uploads/{told['id']}.{kept.ending}"
        blobs.put(blob, kept.body)
    except (ImageError, DatasetError) as error:
        sys.stdout.write(json.dumps({"refused": error.as_dict()}))
        return 0
    except LeafsightError as error:
        sys.stderr.write(f"error: {error.message}\nhint: {error.hint}\n")
        return 1
    said = {
        "blob": blob, "bytes": len(kept.body), "sha256": sha256(body).hexdigest(), "left_out": kept.left_out,
        "notes": kept.notes,
    }  # fmt: skip
    sys.stdout.write(json.dumps(said))
    return 0


if __name__ == "__main__":
    mind()
    sys.exit(main())
