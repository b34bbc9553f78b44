"""``/v1/uploads/{id}/parts``: a large upload in parts, as tus 1.0 has it.

``POST /v1/uploads`` with ``Upload-Length`` begins one (the core protocol with the extensions creation and
termination, https://tus.io/protocols/resumable-upload). The request that brings the last part is answered 202
with the upload and its job, as an upload in one piece is.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from leafsight.errors import UsageError
from leafsight.service import parted_uploads
from leafsight.service.access import Caller
from leafsight.service.once import answer_once, json_answer
from leafsight.service.parts import Parts, parts_of
from leafsight.service.predictions_routes import Id
from leafsight.service.schemas import PROBLEMS, Created
from leafsight.service.upload_types import UploadKept, ending_of

router = APIRouter(tags=["jobs"], responses=PROBLEMS)
VERSION = "1.0.0"
PART = "application/offset+octet-stream"
JOINER = ThreadPoolExecutor(1, "joining")
"""Joining takes minutes, one upload at a time: who waits for it holds none of the threads that all share."""
MAX_METADATA = 4096
MAX_LABEL = 200
Offset = Annotated[int, Header(alias="Upload-Offset", ge=0, le=2**53, description="Where the part begins.")]
TUS = {"tus-resumable": VERSION}
WHERE: dict[str, Any] = {
    name: {"schema": {"type": "integer"}, "description": said}
    for name, said in (("Upload-Offset", "Where it goes on."), ("Upload-Length", "Bytes of the whole."))
}
SAID: dict[int | str, dict[str, Any]] = {200: {"description": "How far it is.", "headers": WHERE}}
APPENDED: dict[int | str, dict[str, Any]] = {
    202: {"model": UploadKept, "description": "That was the last part: it is an upload now."},
    204: {"description": "The part is kept.", "headers": {"Upload-Offset": WHERE["Upload-Offset"]}},
}
PART_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The bytes from Upload-Offset on.",
        "content": {PART: {"schema": {"type": "string", "format": "binary"}}},
    }
}


class PartsBegun(Created):
    """An upload that comes in parts."""

    parts: str = Field(description="Address that its parts are sent to with PATCH.")
    length: int = Field(description="Bytes of the whole.")
    most_part_bytes: int = Field(description="Of one part.")


async def begin(request: Request, parts: Parts, caller: Caller, length: int, label: str | None) -> Response:
    """The answer to ``POST /v1/uploads`` with ``Upload-Length``.

    Args:
        request: without a body.
        parts: of the process.
        caller: whose it will be.
        length: bytes of the whole.
        label: class of a photograph, from the query.

    Raises:
        UsageError: there is a body, or the metadata cannot be read.
        UnsupportedImageError: the type of the whole is not named, or not taken.
        LeafsightError: as ``parted_uploads.begin``.
    """
    _check_version(request)
    said = _metadata(request.headers.get("upload-metadata", ""))
    kind = said.get("filetype") or request.headers.get("content-type", "")
    kind = kind.partition(";")[0].strip().lower()
    ending_of(kind)
    if await request.body():
        raise UsageError(
            "an upload in parts begins without a body", hint=f"send the parts with PATCH, as {PART}"
        )
    label = label or said.get("label") or None
    if label is not None and (len(label) > MAX_LABEL or not label.isprintable()):
        raise UsageError(f"a label has at most {MAX_LABEL} printable characters")

    async def produce() -> Response:
        await parts.access.count_photographs(caller, 1)
        one = await asyncio.to_thread(
            parted_uploads.begin, parts, kind=kind, length=length, label=label, key_id=caller.key_id
        )
        where = f"/v1/uploads/{one}/parts"
        made = {
            "id": one,
            "parts": where,
            "length": length,
            "most_part_bytes": parts.options.max_request_bytes,
        }
        return json_answer(made, 201, {"location": where, **TUS})

    sent = sha256(f"parts {length} {kind} {label}".encode()).hexdigest()
    return await answer_once(request, parts, caller, sent, produce)


@router.options("/v1/uploads", summary="What is spoken for uploads in parts", status_code=204)
async def spoken(request: Request) -> Response:
    """Open to everybody: nothing in it is about anybody."""
    headers = {
        **TUS, "tus-version": VERSION, "tus-extension": "creation,termination",
        "tus-max-size": str(parts_of(request).options.max_upload_bytes),
    }  # fmt: skip
    return Response(None, 204, headers)


@router.head(
    "/v1/uploads/{id}/parts", summary="How far an upload in parts is", response_class=Response, responses=SAID
)
async def how_far(request: Request, id: Id) -> Response:  # noqa: A002
    """`Upload-Offset` says where to go on."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")
    mark = await asyncio.to_thread(parted_uploads.mark_of, parts, id, caller)
    return Response(None, 200, {**TUS, **_where(mark)})


@router.patch(
    "/v1/uploads/{id}/parts",
    summary="Send a part",
    status_code=204,
    responses=APPENDED,
    openapi_extra=PART_BODY,
)
async def append(request: Request, id: Id, offset: Offset) -> Response:  # noqa: A002
    """Where the last one ended; at another place, or at the same time as another, it is a conflict.

    What is answered is kept, whatever happens then. An empty part at the end tries again what failed there.
    """
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")
    _check_version(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != PART:
        raise HTTPException(415, f"a part is sent as {PART}")
    mark = await asyncio.to_thread(parted_uploads.mark_of, parts, id, caller)
    data = await request.body()
    new = await asyncio.to_thread(parted_uploads.append, parts, id, mark, offset, data)
    if new["offset"] < new["length"]:
        return Response(None, 204, {**TUS, "upload-offset": str(new["offset"])})
    loop = asyncio.get_running_loop()
    said = await loop.run_in_executor(JOINER, parted_uploads.finish, parts, id, new)
    request.app.state.bell.ring()
    answer = {"id": said["upload"], "job": said["job"], "left_out": said["left_out"]}
    headers = {"location": f"/v1/jobs/{said['job']}", "upload-offset": str(new["offset"]), **TUS}
    return json_answer(answer, 202, headers)


@router.delete("/v1/uploads/{id}/parts", summary="Give an upload in parts up", status_code=204)
async def give_up(request: Request, id: Id) -> Response:  # noqa: A002
    """What came of it is gone; an upload that was brought to its end stays."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")
    await asyncio.to_thread(parted_uploads.mark_of, parts, id, caller)
    await asyncio.to_thread(parted_uploads.forget, parts, id)
    return Response(None, 204, TUS)


def _where(mark: Mapping[str, Any]) -> dict[str, str]:
    return {"upload-offset": str(mark["offset"]), "upload-length": str(mark["length"])}


def _check_version(request: Request) -> None:
    """A client that speaks tus says which; curl need not."""
    said = request.headers.get("tus-resumable", VERSION)
    if said != VERSION:
        raise HTTPException(412, f"tus {said[:20]!r} is not spoken here", headers={"tus-version": VERSION})


def _metadata(text: str) -> dict[str, str]:
    """Pairs of a name and base64, with commas between.

    Raises:
        UsageError: it is something else.
    """
    if len(text) > MAX_METADATA:
        raise UsageError(f"Upload-Metadata has at most {MAX_METADATA} characters")
    said = {}
    for pair in filter(None, (one.strip() for one in text.split(","))):
        name, _, value = pair.partition(" ")
        try:
            said[name] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise UsageError("Upload-Metadata has a value that is not base64 of UTF-8") from error
    return said
