"""The web page: its files, open to everybody, because no data is in them; and what a server says of itself.

Enters: a GET or HEAD. Leaves: a file of room ``web`` with headers that let a browser run these files and
nothing else, and speak to this server and no other. It does not know what the files do.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from leafsight import __version__
from leafsight.service.once import json_answer
from leafsight.service.options import KeepPhotos
from leafsight.service.parts import parts_of
from leafsight.service.schemas import PROBLEMS
from leafsight.web import INDEX, PageFile, page_file

router = APIRouter(tags=["operation"], responses=PROBLEMS)
PAGE_HEADERS = {
    "cache-control": "no-cache",  # kept, and asked for each time whether it changed: no stale half of a page
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "vary": "accept-encoding",
}


class ServingModel(BaseModel):
    """The model in service."""

    id: str = Field(description="Content hash of its bundle.")
    name: str


class About(BaseModel):
    """What whoever sends a photograph should know before."""

    version: str
    model: ServingModel
    keep_photos: KeepPhotos = Field(
        description="Whether photographs are kept; `ask`: when the sender says so."
    )
    keep_days: int = Field(description="For how long predictions and photographs are remembered.")
    max_photos: int = Field(description="In one request.")
    max_image_bytes: int
    max_request_bytes: int


@router.get("/v1/about", summary="What this server serves, keeps and takes", response_model=About)
async def about(request: Request) -> Response:
    """Open to everybody, like the page: nothing in it is about anybody."""
    parts = parts_of(request)
    model, options = parts.model.now, parts.options
    return json_answer(
        {
            "version": __version__,
            "model": {"id": model.id, "name": model.name},
            "keep_photos": options.keep_photos,
            "keep_days": options.keep_days,
            "max_photos": options.max_photos,
            "max_image_bytes": options.max_image_bytes,
            "max_request_bytes": options.max_request_bytes,
        }
    )


# A page for people is no part of the contract for programs.
@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def index(request: Request) -> Response:
    """The page."""
    return _answer(request, INDEX)


@router.api_route("/page/{name}", methods=["GET", "HEAD"], include_in_schema=False)
async def part(request: Request, name: str) -> Response:
    """What the page is made of."""
    return _answer(request, name)


def _answer(request: Request, name: str) -> Response:
    """The file, or 304 when the browser has it already."""
    found = page_file(name)
    if found is None:
        raise HTTPException(404, f"the page has no file {name[:100]!r}")
    headers = {**PAGE_HEADERS, "etag": f"W/{found.etag}"}  # weak: it stands for the packed bytes, too
    if _is_known(found, request.headers.get("if-none-match", "")):
        return Response(None, 304, headers)
    if _takes_gzip(request):
        return Response(found.packed, 200, {**headers, "content-encoding": "gzip"}, found.media_type)
    return Response(found.body, 200, headers, found.media_type)


def _is_known(found: PageFile, held: str) -> bool:
    """RFC 9110 section 13.1.2, by weak comparison."""
    tags = {tag.strip().removeprefix("W/") for tag in held.split(",")}
    return "*" in tags or found.etag in tags


def _takes_gzip(request: Request) -> bool:
    """A browser names it; ``gzip;q=0`` is rare enough to be told by its plain sign."""
    offers = request.headers.get("accept-encoding", "").replace(" ", "").lower().split(",")
    return any(offer == "gzip" or (offer.startswith("gzip;q=") and offer[7:].strip("0.")) for offer in offers)
