"""The photographs of a request, however they were sent: multipart, raw bytes or base64 in JSON.

Enters: a request whose body is already bounded. Leaves: named bytes, not decoded. It does not know what is in
them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

from fastapi import Request
from pydantic_core import from_json
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from leafsight.errors import RequestTooLargeError, UnsupportedImageError, UsageError
from leafsight.service.forms import plain_files

Result = TypeVar("Result")
Named = tuple[str, bytes]
MAX_NAME = 200
MAX_FIELDS = 16
RAW = ("image/", "application/octet-stream")
LARGE_JSON_BYTES = 256 * 1024
"""From here on base64 is decoded on a thread: below it takes less than a millisecond of all other callers."""
QUICK_FORM_BYTES = 1024**2
"""Forms up to here are read whole; larger ones, and those that do not say, piece by piece."""
LARGE_HASH_BYTES = 1024**2
"""The same of hashing."""
SLICE_CHARACTERS = 256 * 1024
"""Of base64 at once, a multiple of four: between two slices the thread lets others go on."""
HINT = "send multipart/form-data with files, one image/* body, or JSON {'photos': [{'name', 'base64'}]}"


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """One photograph as it was sent.

    Attributes:
        name: the sender's, shortened and printable; only ever shown, never a path.
        data: the file's bytes.
        sha256: of them, hex.
    """

    name: str
    data: bytes
    sha256: str


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
        body = await request.body()
        photos = await _beside(len(body) > LARGE_JSON_BYTES, lambda: _of_json(body, max_photos))
    elif kind.startswith(RAW):
        photos = [("photo", await request.body())]
    else:
        raise UnsupportedImageError(f"a body of type {kind[:80] or '(none)'!r} cannot be read", hint=HINT)
    if not photos:
        raise UsageError("the request has no photograph", hint=HINT)
    for name, data in photos:
        if len(data) > max_image_bytes:
            raise RequestTooLargeError(
                f"{name} has {len(data)} bytes, at most {max_image_bytes} are read",
                hint="send a smaller photograph",
            )
    return await _beside(sum(len(data) for _, data in photos) > LARGE_HASH_BYTES, lambda: _hashed(photos))


async def _beside(large: bool, work: Callable[[], Result]) -> Result:
    """What takes long is done on a thread, so that nobody else waits for it."""
    return await asyncio.to_thread(work) if large else work()


def _hashed(photos: list[Named]) -> list[SentPhoto]:
    return [SentPhoto(name, data, sha256(data).hexdigest()) for name, data in photos]


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


async def _of_form(request: Request, max_photos: int) -> list[Named]:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and len(length) <= len(str(QUICK_FORM_BYTES)) and int(length) <= QUICK_FORM_BYTES:
        files = plain_files(request.headers["content-type"], await request.body(), max_photos)
        if files is not None:
            return [(_shown(name), data) for name, data in files]
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
            (_shown(part.filename), await part.read())
            for _, part in form.multi_items()
            if isinstance(part, UploadFile)
        ]
    finally:
        await form.close()


def _of_json(body: bytes, max_photos: int) -> list[Named]:
    try:
        said = from_json(
            body, cache_strings="none"
        )  # four times as quick as json, which holds up all threads
    except ValueError as error:
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


def _of_entry(number: int, entry: Any) -> Named:
    if not isinstance(entry, dict) or not isinstance(entry.get("base64"), str):
        raise UsageError(f"photos[{number}] has no text 'base64'", hint=HINT)
    name = entry.get("name", f"photo-{number + 1}")
    if not isinstance(name, str):
        raise UsageError(f"photos[{number}].name is no text", hint=HINT)
    try:
        return _shown(name), _decoded(entry["base64"])
    except (binascii.Error, ValueError) as error:
        raise UsageError(f"photos[{number}].base64 is not base64 (RFC 4648)", hint=HINT) from error


def _decoded(text: str) -> bytes:
    """The bytes of base64, a slice after the other: one call would hold up all threads until it is done."""
    slices = [text[at : at + SLICE_CHARACTERS] for at in range(0, len(text), SLICE_CHARACTERS)]
    if any(part.endswith("=") for part in slices[:-1]):
        raise ValueError("it ends before its end")
    return b"".join(base64.b64decode(part, validate=True) for part in slices)


def _shown(name: str | None) -> str:
    kept = "".join(sign for sign in name or "" if sign.isprintable())
    return kept[-MAX_NAME:] or "photo"
