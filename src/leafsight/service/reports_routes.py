"""``/v1/reports``: what is wrong with the operator's collection, and what it looks like.

Enters: requests of the scope ``admin``, and frames with a ticket. Leaves: jobs, summaries, and files that the
manifest of a report names. How a report is made, ``report_job`` knows.

A page of a report holds scripts of its own, and class names from folders that anybody may have named. It is
therefore never a part of our page: whoever opens it gets it inside a sandbox, which has no origin, no storage
and no network.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from starlette.responses import Response

from leafsight.errors import ConflictError, ForbiddenError
from leafsight.service import tickets
from leafsight.service.once import answer_once, json_answer
from leafsight.service.pages import After, Limit, cursor_of, id_of
from leafsight.service.parts import Parts, parts_of
from leafsight.service.predictions_routes import Id
from leafsight.service.report_listings import FILE, ReportAccepted, ReportFound, ReportsPage, Ticket
from leafsight.service.report_store import FILE_NAME, Reports
from leafsight.service.schemas import PROBLEMS

router = APIRouter(tags=["reports"], responses=PROBLEMS)
Name = Annotated[str, InPath(pattern=FILE_NAME, description="As the report names it.")]
HOW = "start the server with: leafsight serve --data FOLDER"
BRIEF = ("id", "created_at", "collection", "photographs", "usable", "classes", "findings")
FRAMED = {
    "content-security-policy": "sandbox allow-scripts; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
}


@router.get("/v1/reports", summary="Reports on the collection", response_model=ReportsPage)
async def reports(request: Request, limit: Limit = 50, after: After = None) -> Response:
    """Newest first."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    last = id_of(after)
    found = Reports(parts.blobs)
    ids = [one for one in await asyncio.to_thread(found.ids) if last is None or one < last]
    listed = await asyncio.to_thread(lambda: [found.manifest(one) for one in ids[:limit]])
    ahead = await parts.recorder.do(lambda: parts.state.claims.ahead(["report"]))
    under_way = [*ahead.held, *ahead.free]
    return json_answer(
        {
            "reports": [{name: one[name] for name in BRIEF} for one in listed],
            "next": cursor_of(ids[limit - 1]) if len(ids) > limit else None,
            "collection": _name(parts.options.data),
            "job": under_way[0] if under_way else None,
            "hint": "" if parts.options.data else HOW,
        }
    )


@router.post(
    "/v1/reports", summary="Make a report on the collection", status_code=202, response_model=ReportAccepted
)
async def make(request: Request) -> Response:
    """Long work: a job. While one is under way, that one is the answer."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "admin")
    source = parts.options.data
    if source is None:
        raise ConflictError("this server shows no collection", hint=HOW)

    async def produce() -> Response:
        job = await parts.recorder.do(lambda: _queue(parts, str(source)))
        request.app.state.bell.ring()
        return json_answer({"id": job, "job": job}, 202, {"location": f"/v1/jobs/{job}"})

    return await answer_once(request, parts, caller, "report", produce)


@router.get("/v1/reports/{id}", summary="One report", response_model=ReportFound)
async def report(request: Request, id: Id) -> Response:  # noqa: A002
    """Findings worst first, figures with question and answer, and the names of its files."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    found = Reports(parts.blobs)
    said = await asyncio.to_thread(lambda: {**found.summary(id), "files": found.manifest(id)["files"]})
    return json_answer(said)


@router.post("/v1/reports/{id}/ticket", summary="Open a file in a frame", response_model=Ticket)
async def ticket(
    request: Request,
    id: Id,  # noqa: A002
    name: Annotated[str, Query(pattern=FILE_NAME, description="Of the file.")],
) -> Response:
    """A frame cannot send a key. This address needs none, for a minute, for this file."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    await asyncio.to_thread(Reports(parts.blobs).check, id, name)
    now_ms = parts.now_ms()
    made = tickets.issue(await secret_of(parts), id, name, now_ms)
    url = f"/v1/reports/{id}/files/{quote(name)}?ticket={made}"
    return json_answer({"url": url, "expires_at": now_ms + tickets.LASTS_MS})


@router.get(
    "/v1/reports/{id}/files/{name}", summary="A file of a report", response_class=Response, responses=FILE
)
async def file(
    request: Request,
    id: Id,  # noqa: A002
    name: Name,
    ticket: Annotated[str | None, Query(max_length=200, description="Instead of a key.")] = None,
) -> Response:
    """A picture, a page or numbers. Pages are for frames: they run in a sandbox."""
    parts = parts_of(request)
    if ticket is None:
        await parts.access.caller(request, "admin")
    elif not await _opens(parts, ticket, id, name):
        raise ForbiddenError(
            "this ticket does not open this file", hint="ask for a new one: it lasts a minute"
        )
    found = await asyncio.to_thread(Reports(parts.blobs).file, id, name)
    headers = {"content-type": found.media_type, "content-disposition": f'inline; filename="{name}"'}
    if found.media_type.startswith("text/html"):
        headers.update(FRAMED)
    return Response(found.data, headers=headers)


async def _opens(parts: Parts, ticket: str, report: str, name: str) -> bool:
    """The database is not asked for what cannot be a ticket: anybody may send that."""
    now_ms = parts.now_ms()
    if not tickets.is_timely(ticket, now_ms):
        return False
    return tickets.holds(ticket, await secret_of(parts), report, name, now_ms)


async def secret_of(parts: Parts) -> bytes:
    """Of all copies of the service; the database is asked once a process."""
    secrets = parts.state.secrets
    if (known := secrets.known(tickets.SIGNED_WITH)) is not None:
        return known
    return await parts.recorder.do(lambda: secrets.of(tickets.SIGNED_WITH))


def _queue(parts: Parts, source: str) -> str:
    from leafsight.state import JobRecord, new_id

    now_ms = parts.now_ms()
    job = JobRecord(
        id=new_id(), kind="report", state="queued", created_ms=now_ms, updated_ms=now_ms,
        request={"source": source},
    )  # fmt: skip
    return parts.state.jobs.add_alone(job).id


def _name(data: Path | None) -> Any:
    return None if data is None else data.name or str(data)
