"""Uploads, and the jobs that long work becomes: asked for, followed, cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from functools import partial
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from leafsight.errors import OverloadError, StateBusyError, UsageError
from leafsight.service.job_answers import job_of, plain_job, upload_of, with_jobs
from leafsight.service.listings import JobFound, JobsPage
from leafsight.service.once import answer_once, json_answer
from leafsight.service.pages import PLAIN, After, Limit, cursor_of, id_of
from leafsight.service.parted_routes import PartsBegun
from leafsight.service.parted_routes import begin as begin_in_parts
from leafsight.service.parts import Parts, parts_of
from leafsight.service.predictions_routes import Id
from leafsight.service.report_listings import UploadShown, UploadsPage
from leafsight.service.schemas import PROBLEMS
from leafsight.service.upload_keeping import job_for, keep_upload
from leafsight.service.upload_stripping import stripped
from leafsight.service.upload_types import UPLOADED, UploadKept, check_signature, ending_of

router = APIRouter(tags=["jobs"], responses=PROBLEMS)
FINAL = {"done", "failed", "cancelled"}
LOOK_S = 0.5
"""Between two looks at a job that is followed."""
MOST_FOLLOWERS = 64
"""Each asks the database twice a second."""
EVENTS: dict[str, Any] = {
    "description": "Events `job` with the job as JSON, until it has ended.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}
IN_PARTS: dict[int | str, dict[str, Any]] = {
    201: {
        "model": PartsBegun,
        "description": "An upload in parts has begun.",
        "headers": {"Location": {"schema": {"type": "string"}}},
    }
}
UPLOAD_BODY: dict[str, Any] = {
    "required": True,
    "description": "An archive of class folders, or one photograph with ?label=",
    "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in UPLOADED},
}


@router.post(
    "/v1/uploads",
    summary="Send labelled photographs",
    status_code=202,
    response_model=UploadKept,
    responses=IN_PARTS,
    openapi_extra={"requestBody": UPLOAD_BODY},
)
async def upload(
    request: Request,
    label: Annotated[
        str | None, Query(max_length=200, pattern=PLAIN, description="Class of a photograph.")
    ] = None,
    length: Annotated[
        int | None,
        Header(
            alias="Upload-Length", ge=1, le=2**53, description="Begins an upload in parts, without a body."
        ),
    ] = None,
) -> Response:
    """Kept without what cameras write beside their pictures, and without files of other kinds.

    The pixels stay as they are; `sha256` is that of what was sent. A job looks into what is kept. With
    `Upload-Length` and no body it is sent in parts: 201, and `PATCH` to the address in `Location`.
    """
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")
    if length is not None:
        return await begin_in_parts(request, parts, caller, length, label)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    ending_of(kind)  # before the body is read
    body = await request.body()
    if not body:
        raise UsageError("the upload is empty", hint="send the archive or photograph as the body")
    check_signature(kind, body)
    sha = sha256(body).hexdigest()

    async def produce() -> Response:
        await parts.access.count_photographs(caller, 1)
        kept = await stripped(body, kind, parts.limits)
        said = await asyncio.to_thread(keep_upload, parts, kept, sha, kind, label, caller.key_id)
        request.app.state.bell.ring()
        return json_answer(said, 202, {"location": f"/v1/jobs/{said['job']}"})

    return await answer_once(request, parts, caller, sha256(f"{label}:{sha}".encode()).hexdigest(), produce)


@router.get("/v1/uploads", summary="Uploads", response_model=UploadsPage)
async def uploads(request: Request, limit: Limit = 50, after: After = None) -> Response:
    """Newest first: one's own, or all with the scope admin. Each with the job that looks into it."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")
    last = id_of(after)
    own = None if caller.key is None or "admin" in caller.key.scopes else caller.key.id

    def look() -> dict[str, Any]:
        page = parts.state.uploads.page(last, limit, key_id=own)
        return {"uploads": with_jobs(parts, page.records), "next": cursor_of(page.next)}

    return json_answer(await parts.recorder.do(look))


@router.get("/v1/uploads/{id}", summary="One upload", response_model=UploadShown)
async def one_upload(request: Request, id: Id) -> Response:  # noqa: A002
    """What was sent, and what became of it."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")

    def look() -> dict[str, Any]:
        return with_jobs(parts, [upload_of(parts, id, caller)])[0]

    return json_answer(await parts.recorder.do(look))


@router.post(
    "/v1/uploads/{id}/check",
    summary="Look into an upload again",
    status_code=202,
    response_model=JobFound,
)
async def check_again(request: Request, id: Id) -> Response:  # noqa: A002
    """After a failure that was not the upload's own, say: its job begins anew, under the same id.

    While it is queued or runs that is a conflict. It counts as a photograph of the day's allowance.
    """
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")

    async def produce() -> Response:
        found = await parts.recorder.do(lambda: upload_of(parts, id, caller))
        await parts.access.count_photographs(caller, 1)
        job = await parts.recorder.do(lambda: parts.state.uploads.look_again(id, job_for(parts, found)))
        request.app.state.bell.ring()
        return json_answer(plain_job(job), 202, {"location": f"/v1/jobs/{job.id}"})

    return await answer_once(request, parts, caller, "check", produce)


@router.get("/v1/jobs", summary="Long work", response_model=JobsPage)
async def jobs(request: Request, limit: Limit = 50, after: After = None) -> Response:
    """Newest first."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    last = id_of(after)
    page = await parts.recorder.do(lambda: parts.state.jobs.page(last, limit))
    return json_answer({"jobs": [plain_job(one) for one in page.records], "next": cursor_of(page.next)})


@router.get("/v1/jobs/{id}", summary="One job", response_model=JobFound)
async def job(request: Request, id: Id) -> Response:  # noqa: A002
    """How far it is."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")
    return json_answer(plain_job(await parts.recorder.do(lambda: job_of(parts, id, caller))))


@router.delete("/v1/jobs/{id}", summary="Cancel a job", response_model=JobFound)
async def cancel(request: Request, id: Id) -> Response:  # noqa: A002
    """A job that has ended stays as it is: that is a conflict."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "admin")

    def stop() -> dict[str, Any]:
        job_of(parts, id, caller)
        return plain_job(parts.state.jobs.cancel(id))

    return json_answer(await parts.recorder.do(stop))


@router.get(
    "/v1/jobs/{id}/events",
    summary="Follow a job (server-sent events)",
    response_class=StreamingResponse,
    responses={200: EVENTS},
)
async def events(request: Request, id: Id) -> Response:  # noqa: A002
    """One event `job` for each change, until it has ended."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")
    first = await parts.recorder.do(lambda: job_of(parts, id, caller))
    if parts.lifecycle.followers >= MOST_FOLLOWERS:
        raise OverloadError(
            f"{MOST_FOLLOWERS} callers follow jobs already",
            hint="ask for the job now and then",
            retry_after_s=5,
        )
    return StreamingResponse(_follow(parts, first), media_type="text/event-stream")


async def _follow(parts: Parts, found: Any) -> AsyncIterator[str]:
    parts.lifecycle.followers += 1
    try:
        async for event in _events(parts, found):
            yield event
    finally:
        parts.lifecycle.followers -= 1


async def _events(parts: Parts, found: Any) -> AsyncIterator[str]:
    said = ""
    while True:
        now = json.dumps(plain_job(found), ensure_ascii=False, allow_nan=False)
        # A comment between changes keeps proxies from closing the connection, and notices a caller who left.
        yield f"event: job\ndata: {now}\n\n" if now != said else ": still there\n\n"
        said = now
        if found.state in FINAL or parts.lifecycle.draining:
            return
        await asyncio.sleep(LOOK_S)
        with contextlib.suppress(StateBusyError):  # the next look may tell more
            found = await parts.recorder.do(partial(job_of, parts, found.id))
