"""What a server can be asked about learning: contributions, retrainings, promotions; as plain values.

Enters: what a caller wants. Leaves: a ``Call``. It does not send anything.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

from leafsight.client.addresses import checked_id
from leafsight.client.answers import UploadAccepted
from leafsight.client.attempts import Call
from leafsight.client.calls import JSON
from leafsight.client.reading import read_object, read_record
from leafsight.client.replies import Reply
from leafsight.client.requests import IDEMPOTENCY_KEY, QueryValue, Request, encoded_query
from leafsight.errors import RemoteError, UsageError

PART = "application/offset+octet-stream"
MOST_NAME_CHARACTERS = 200
PROBLEM = "application/problem+json"


def page(path: str, after: str | None, limit: int, **wanted: QueryValue) -> Call[dict[str, Any]]:
    """``GET`` of a list, one page."""
    return get(path, encoded_query({"after": after, "limit": limit, **wanted}))


def get(path: str, query: str = "") -> Call[dict[str, Any]]:
    """``GET`` of one object."""
    return Call(Request("GET", path, query, {"Accept": f"{JSON}, {PROBLEM}"}), read_object)


def get_file(path: str, query: str, media_type: str) -> Call[bytes]:
    """``GET`` of a file of one type."""

    def read(reply: Reply) -> bytes:
        if reply.media_type != media_type:
            raise RemoteError(f"the server answered with {reply.media_type[:80]!r} instead of {media_type}")
        return reply.body

    return Call(Request("GET", path, query, {"Accept": f"{media_type}, {PROBLEM}"}), read)


def post(path: str, body: Mapping[str, Any], token: str) -> Call[dict[str, Any]]:
    """``POST`` of a wish as JSON."""
    headers = {"Accept": f"{JSON}, {PROBLEM}", "Content-Type": JSON, IDEMPOTENCY_KEY: token}
    return Call(Request("POST", path, "", headers, json.dumps(body).encode()), read_object)


def delete(path: str) -> Call[dict[str, Any]]:
    """``DELETE``; what is left is the answer."""
    return Call(Request("DELETE", path, "", {"Accept": f"{JSON}, {PROBLEM}"}), read_object)


def declared_path(name: str) -> str:
    """The path of a declared class.

    Raises:
        UsageError: no class is called so.
    """
    if not name.strip() or len(name) > MOST_NAME_CHARACTERS:
        raise UsageError(f"a class has a name of 1 to {MOST_NAME_CHARACTERS} characters")
    return f"/v1/classes/declared/{urllib.parse.quote(name, safe='')}"


def one_of(kind: str, name: str, what: str, rest: str = "") -> str:
    """The path of one thing, by its id."""
    return f"/v1/{kind}/{checked_id(name, what)}{rest}"


def begin_parts(size_bytes: int, media_type: str, label: str | None, token: str) -> Call[dict[str, Any]]:
    """``POST /v1/uploads`` without a body: an upload that comes in parts."""
    headers = {
        "Accept": f"{JSON}, {PROBLEM}", "Content-Type": media_type, "Upload-Length": str(size_bytes),
        IDEMPOTENCY_KEY: token,
    }  # fmt: skip
    return Call(Request("POST", "/v1/uploads", encoded_query({"label": label}), headers), read_object)


def parts_so_far(name: str) -> Call[tuple[int, int]]:
    """``HEAD /v1/uploads/{id}/parts``: bytes that are there, and bytes of the whole."""

    def read(reply: Reply) -> tuple[int, int]:
        try:
            return int(reply.headers["upload-offset"]), int(reply.headers["upload-length"])
        except (KeyError, ValueError) as error:
            raise RemoteError("the server does not say how far the upload is") from error

    return Call(Request("HEAD", one_of("uploads", name, "upload", "/parts"), "", {"Accept": PROBLEM}), read)


def send_part(name: str, offset: int, data: bytes) -> Call[UploadAccepted | None]:
    """``PATCH /v1/uploads/{id}/parts``; after the last part the answer is the upload."""
    headers = {"Accept": f"{JSON}, {PROBLEM}", "Content-Type": PART, "Upload-Offset": str(offset)}

    def read(reply: Reply) -> UploadAccepted | None:
        return read_record(UploadAccepted)(reply) if reply.status == 202 else None

    return Call(Request("PATCH", one_of("uploads", name, "upload", "/parts"), "", headers, data), read)
