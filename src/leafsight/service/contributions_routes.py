"""``/v1/contributions`` and ``/v1/classes/declared``: what people sent to be learned, and decisions."""

from __future__ import annotations

import asyncio
import io
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from starlette.responses import Response

from leafsight.images import decode
from leafsight.service import contributions as teaching
from leafsight.service.access import Caller
from leafsight.service.callers import name_of
from leafsight.service.contribution_listings import (
    DECISION_BODY,
    DECLARATION_BODY,
    THUMBNAIL,
    ContributionShown,
    ContributionsPage,
    ContributionsSummary,
    ContributionState,
    Decided,
    Decision,
    Declaration,
    DeclaredClasses,
    DeclaredShown,
)
from leafsight.service.json_body import read_json
from leafsight.service.once import answer_once, json_answer
from leafsight.service.pages import PLAIN, After, Limit, id_of
from leafsight.service.parts import Parts, parts_of
from leafsight.service.predictions_routes import Id
from leafsight.service.recheck_job import queue_recheck
from leafsight.service.schemas import PROBLEMS

router = APIRouter(tags=["learning"], responses=PROBLEMS)
THUMBNAIL_QUALITY = 80
KEPT_BY_BROWSERS = {"cache-control": "private, max-age=600"}
"""A photograph of a contribution never changes."""
OneInPath = Annotated[str, InPath(max_length=64, description="32 hex digits.")]
"""Without their form: what is no id here may be the name of a route for another method."""
ClassInPath = Annotated[str, InPath(min_length=1, max_length=200, pattern=PLAIN)]


@router.get(
    "/v1/contributions", summary="Labelled photographs that were sent", response_model=ContributionsPage
)
async def contributions(
    request: Request,
    limit: Limit = 50,
    after: After = None,
    state: Annotated[ContributionState | None, Query(description="Only of this state.")] = None,
    upload: Annotated[
        str | None, Query(pattern="^[0-9a-f]{32}$", description="Only those of this upload.")
    ] = None,
    label: Annotated[
        str | None, Query(max_length=200, pattern=PLAIN, description="Only of this class.")
    ] = None,
    finding: Annotated[
        str | None,
        Query(
            max_length=40, pattern="^[a-z][a-z0-9_-]*$", description="Only with this one; `any`, or `none`."
        ),
    ] = None,
) -> Response:
    """Newest first: one's own, or all with the scope admin."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")
    last = id_of(after)
    wanted: dict[str, str | None] = {"state": state, "upload": upload, "label": label, "finding": finding}
    return json_answer(
        await asyncio.to_thread(teaching.contributions_page, parts, caller, last, limit, wanted)
    )


@router.get(
    "/v1/contributions/summary",
    summary="How many photographs wait, by class",
    response_model=ContributionsSummary,
)
async def contributions_summary(request: Request) -> Response:
    """Of one's own, or of all with the scope admin; `new_since_training` is always of all."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")
    return json_answer(await asyncio.to_thread(teaching.summary, parts, caller))


# Before those with an id in their path: who asks with another method is told those of this one.
@router.post(
    "/v1/contributions/decide",
    summary="Accept, relabel or reject",
    response_model=Decided,
    openapi_extra=DECISION_BODY,
)
async def decide(request: Request) -> Response:
    """What is accepted is learned by the next retraining. A decision may be changed later.

    A photograph of a class that the model does not know is accepted only when the class is declared; one of
    the locked test never.
    """
    parts = parts_of(request)
    caller = await parts.access.caller(request, "admin")
    wish = await read_json(request, Decision, what="decision")

    async def produce() -> Response:
        # On a thread of its own: it may be thousands, and what was predicted is written down meanwhile.
        said = await asyncio.to_thread(_decide, parts, wish, name_of(caller))
        if said["changed"]:
            request.app.state.ticking.nudge()
        return json_answer(said)

    return await answer_once(request, parts, caller, _sent(wish), produce)


@router.get("/v1/contributions/{id}", summary="One of them", response_model=ContributionShown)
async def contribution(request: Request, id: OneInPath) -> Response:  # noqa: A002
    """As the list has it."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")
    return json_answer(await asyncio.to_thread(_one, parts, caller, id))


@router.get(
    "/v1/contributions/{id}/photograph",
    summary="A contribution's photograph, small",
    response_class=Response,
    responses=THUMBNAIL,
)
async def photograph(
    request: Request,
    id: Id,  # noqa: A002
    side: Annotated[int, Query(ge=16, le=1024, description="Of the longer side at most, in pixels.")] = 256,
) -> Response:
    """Decoded and encoded again: what is shown is made here, whatever was sent."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "upload")
    found = await parts.recorder.do(lambda: teaching.contribution_of(parts, caller, id))
    loop = asyncio.get_running_loop()
    small = await loop.run_in_executor(parts.storing, _thumbnail, parts, found.blob, side)
    return Response(small, headers=KEPT_BY_BROWSERS, media_type="image/jpeg")


@router.get("/v1/classes/declared", summary="Classes that may be taught", response_model=DeclaredClasses)
async def declared(request: Request) -> Response:
    """Beside those that the model in service knows, see `/v1/conditions`."""
    parts = parts_of(request)
    await parts.access.caller(request, "upload")
    found = await parts.recorder.do(lambda: [_declared(one) for one in parts.state.declared.list()])
    return json_answer({"classes": found})


@router.post(
    "/v1/classes/declared",
    summary="Declare a class",
    status_code=201,
    response_model=DeclaredShown,
    openapi_extra=DECLARATION_BODY,
)
async def declare(request: Request) -> Response:
    """From now on photographs of it may be accepted. Declaring it again changes nothing."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "admin")
    said = await read_json(request, Declaration, what="declaration")

    def write() -> dict[str, Any]:
        from leafsight.feedback import clean_class_name

        name = clean_class_name(said.name)
        parts.state.declared.add(name, name_of(caller), said.note)
        queue_recheck(parts.state)
        return next(_declared(one) for one in parts.state.declared.list() if one.name == name)

    async def produce() -> Response:
        declared = await parts.recorder.do(write)
        request.app.state.bell.ring()
        return json_answer(declared, 201)

    return await answer_once(request, parts, caller, _sent(said), produce)


@router.delete(
    "/v1/classes/declared/{name:path}", summary="Take a declaration back", response_model=DeclaredClasses
)
async def take_back(request: Request, name: ClassInPath) -> Response:
    """What is accepted already stays so. One that is not declared is no error."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")

    def write() -> list[dict[str, Any]]:
        parts.state.declared.remove(name)
        queue_recheck(parts.state)
        return [_declared(one) for one in parts.state.declared.list()]

    left = await parts.recorder.do(write)
    request.app.state.bell.ring()
    return json_answer({"classes": left})


def _one(parts: Parts, caller: Caller, id: str) -> dict[str, Any]:  # noqa: A002
    found = teaching.contribution_of(parts, caller, id)
    return teaching.plain_contribution(parts, teaching.Classes(parts), found)


def _decide(parts: Parts, wish: Decision, by: str) -> dict[str, Any]:
    deciding = teaching.Deciding(parts, wish, by)
    deciding.run()
    return {"changed": deciding.changed, "skipped": deciding.skipped}


def _thumbnail(parts: Parts, blob: str, side_px: int) -> bytes:
    """On the one thread that encodes photographs."""
    from PIL import Image

    data = parts.blobs.get(blob, max_bytes=parts.options.max_image_bytes)
    picture = Image.fromarray(decode(data, limits=parts.limits, wanted_side_px=side_px))
    picture.thumbnail((side_px, side_px))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=THUMBNAIL_QUALITY)
    return out.getvalue()


def _declared(one: Any) -> dict[str, Any]:
    from leafsight.taxonomy import find_class

    return {
        "name": one.name, "display": find_class(one.name).display, "created_at": one.created_ms,
        "by": one.by, "note": one.note,
    }  # fmt: skip


def _sent(said: Any) -> str:
    return sha256(said.model_dump_json().encode()).hexdigest()
