"""The photographs of a request, however they were sent: multipart, raw bytes or base64 in JSON.

Enters: a request whose body is already bounded. Leaves: named bytes, not decoded. It does not know what is in
them.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from leafsight.errors import RequestTooLargeError, UnsupportedImageError, UsageError

MAX_NAME = 200
MAX_FIELDS = 16
RAW = ("image/", "application/octet-stream")
HINT = "send multipart/form-data with files, one image/* body, or JSON {'photos': [{'name', 'base64'}]}"


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """One photograph as it was sent.

    Attributes:
        name: the sender's, shortened and printable; only ever shown, never a path.
        data: the file's bytes.
    """

    name: str
    data: bytes


async def read_photographs(request: Request, *, max_photos: int, max_image_bytes: int) -> list[SentPhoto]:
    """All photographs of a request, in their order; at least one.

    Raises:
        UsageError: none, or a body that is not what its type says.
        UnsupportedImageError: another type of body.
        RequestTooLargeError: too many, or one is too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        photos = await _of_form(request, max_photos)
    elif kind == "application/json":
        photos = _of_json(await request.body(), max_photos)
    elif kind.startswith(RAW):
        photos = [SentPhoto("photo", await request.body())]
    else:
        raise UnsupportedImageError(f"a body of type {kind[:80] or '(none)'!r} cannot be read", hint=HINT)
    if not photos:
        raise UsageError("the request has no photograph", hint=HINT)
    for photo in photos:
        if len(photo.data) > max_image_bytes:
            raise RequestTooLargeError(
                f"{photo.name} has {len(photo.data)} bytes, at most {max_image_bytes} are read",
                hint="send a smaller photograph",
            )
    return photos


class _Form(MultiPartParser):
    """Starlette's parser, which takes a form without its end for a whole one: the last photograph is lost."""

    _ended = False

    def on_end(self) -> None:
        super().on_end()
        self._ended = True

    async def parse(self) -> FormData:
        form = await super().parse()
        if not self._ended:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("it has no end")
        return form


async def _of_form(request: Request, max_photos: int) -> list[SentPhoto]:
    try:
        form = await _Form(
            request.headers, request.stream(), max_files=max_photos, max_fields=MAX_FIELDS
        ).parse()
    except UnicodeError as error:  # senders may name any codec of Python
        raise UsageError("the names in the form cannot be decoded", hint=HINT) from error
    except MultiPartException as error:
        reason = error.message
        if "Too many" in reason:
            raise RequestTooLargeError(
                f"the form has too many parts, at most {max_photos} photographs are read",
                hint="send several requests",
            ) from error
        raise UsageError(f"the form cannot be read: {reason[:200]}", hint=HINT) from error
    try:
        return [
            SentPhoto(_shown(part.filename), await part.read())
            for _, part in form.multi_items()
            if isinstance(part, UploadFile)
        ]
    finally:
        await form.close()


def _of_json(body: bytes, max_photos: int) -> list[SentPhoto]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("the body is not JSON", hint=HINT) from error
    photos = said.get("photos") if isinstance(said, dict) else None
    if not isinstance(photos, list):
        raise UsageError("the JSON has no list 'photos'", hint=HINT)
    if len(photos) > max_photos:
        raise RequestTooLargeError(
            f"{len(photos)} photographs are too many, {max_photos} are read at once",
            hint="send several requests",
        )
    return [_of_entry(number, entry) for number, entry in enumerate(photos)]


def _of_entry(number: int, entry: Any) -> SentPhoto:
    if not isinstance(entry, dict) or not isinstance(entry.get("base64"), str):
        raise UsageError(f"photos[{number}] has no text 'base64'", hint=HINT)
    name = entry.get("name", f"photo-{number + 1}")
    if not isinstance(name, str):
        raise UsageError(f"photos[{number}].name is no text", hint=HINT)
    try:
        return SentPhoto(_shown(name), base64.b64decode(entry["base64"], validate=True))
    except (binascii.Error, ValueError) as error:
        raise UsageError(f"photos[{number}].base64 is not base64 (RFC 4648)", hint=HINT) from error


def _shown(name: str | None) -> str:
    kept = "".join(sign for sign in name or "" if sign.isprintable())
    return kept[-MAX_NAME:] or "photo"
