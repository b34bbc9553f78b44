"""Uploads that come in parts, so that a broken connection costs one part and not the whole.

Enters: parts, each at the place where the one before ended. Leaves: an ordinary upload when the last has
come. What is known of an upload in parts is a mark of the database, compared and set: of two who send the
same part one is taken. A part is a blob of its own, written before the mark names it, so what is
acknowledged is there.

Parts lie as they were sent: what a camera wrote into them is left out when they are joined, and then they
go.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from leafsight.errors import (
    ConflictError,
    LeafsightError,
    NotFoundError,
    RateLimitError,
    RequestTooLargeError,
    UsageError,
)
from leafsight.service.access import Caller
from leafsight.service.parts import Parts
from leafsight.service.upload_joining import join
from leafsight.service.upload_types import check_signature

if TYPE_CHECKING:
    from leafsight.state import State

FOLDER, PREFIX, IDLE = "parts", "upload-parts/", "upload-parts-idle"
MOST_PARTS = 2000
"""The mark that names them has 64 KiB."""
MOST_OPEN, MOST_OPEN_OF_ALL = 8, 200
MOST_DONE = 500
"""Uploads that were brought to their end and of which that is remembered: a sender whose answer got lost asks
again soon. All that are remembered, with ``MOST_OPEN_OF_ALL``, have room in the mark ``IDLE``."""
FORGOTTEN_AFTER_LOOKS = 24 * 60
"""Looks, one a minute, at which nothing had come since the one before. No clock: those are set."""
SIGNATURE_BYTES = 512
LOG = logging.getLogger("leafsight.service")


def begin(parts: Parts, *, kind: str, length: int, label: str | None, key_id: str | None) -> str:
    """A new upload in parts, without any; its id, which is that of the upload that it becomes.

    Args:
        parts: of the process.
        kind: media type of the whole.
        length: bytes of the whole.
        label: class of a photograph.
        key_id: whose it is.

    Raises:
        RequestTooLargeError: it would be too large.
        RateLimitError: there are too many that were not brought to their end.
        StateBusyError, StateError: the database does not answer.
    """
    from leafsight.state import new_id

    if length > parts.options.max_upload_bytes:
        raise RequestTooLargeError(
            f"an upload of {length} bytes is too large, at most {parts.options.max_upload_bytes} are taken",
            hint="send several smaller archives",
        )
    under_way = [mark["key"] for _, mark in _open(parts.state) if mark["done"] is None]
    if len(under_way) >= MOST_OPEN_OF_ALL or under_way.count(key_id) >= MOST_OPEN:
        raise RateLimitError(
            f"{under_way.count(key_id)} uploads in parts are under way already",
            hint="finish one, or end it with DELETE",
            retry_after_s=60.0,
        )
    one = new_id()
    mark = {
        "kind": kind,
        "length": length,
        "offset": 0,
        "label": label,
        "key": key_id,
        "parts": [],
        "done": None,
    }
    parts.state.marks.put(PREFIX + one, mark, expected=None)
    return one


def mark_of(parts: Parts, id: str, caller: Caller) -> Mapping[str, Any]:  # noqa: A002
    """What is known of an upload in parts, if the caller may see it.

    Raises:
        NotFoundError: there is none of this id, or it is another's.
        StateBusyError, StateError: the database does not answer.
    """
    mark = parts.state.marks.get(PREFIX + id)
    key = caller.key
    if mark is None or (key is not None and "admin" not in key.scopes and mark["key"] != key.id):
        raise NotFoundError(
            f"there is no upload in parts {id}", hint="what nobody goes on with is forgotten after a day"
        )
    return mark


def append(parts: Parts, id: str, mark: Mapping[str, Any], offset: int, data: bytes) -> Mapping[str, Any]:  # noqa: A002
    """Add a part; what is known after that.

    Args:
        parts: of the process.
        id: of the upload.
        mark: from ``mark_of``.
        offset: where the part begins.
        data: the part; none at the end asks that a whole upload be joined.

    Raises:
        ConflictError: it does not begin where the last one ended, or another was quicker.
        UsageError: it leads over the end.
        RequestTooLargeError: there are too many parts.
        UnsupportedImageError: the first one is not what its type says.
        StateBusyError, StateError: the database or the store does not answer.
    """
    if offset != mark["offset"]:
        raise ConflictError(
            f"the upload goes on at {mark['offset']}, not at {offset}", hint="ask with HEAD where it goes on"
        )
    if not data:
        return mark
    if offset + len(data) > mark["length"]:
        raise UsageError(f"the part ends after the {mark['length']} bytes that were announced")
    if len(mark["parts"]) >= MOST_PARTS:
        raise RequestTooLargeError(f"more than {MOST_PARTS} parts are too many", hint="send larger parts")
    if offset == 0 and (len(data) >= SIGNATURE_BYTES or len(data) == mark["length"]):
        check_signature(mark["kind"], data)
    name = f"{len(mark['parts']):04d}-{secrets.token_hex(4)}"
    parts.blobs.put(f"{FOLDER}/{id}/{name}", data)
    new = {**mark, "offset": offset + len(data), "parts": [*mark["parts"], name]}
    if not parts.state.marks.put(PREFIX + id, new, expected=mark):
        parts.blobs.delete(f"{FOLDER}/{id}/{name}")
        raise ConflictError("another part came at the same time", hint="ask with HEAD where it goes on")
    return new


def finish(parts: Parts, id: str, mark: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: A002
    """Join the parts into an upload, with the job that looks into it; where that was done, nothing.

    Returns:
        ``upload``, ``job`` and ``left_out``.

    Raises:
        ImageError, DatasetError: what was sent cannot be kept; the parts are gone.
        LeafsightError: it failed for another reason, and can be tried again.
    """
    if mark["done"] is not None:
        done: Mapping[str, Any] = mark["done"]
        return done
    try:
        said = join(parts, id, mark, [f"{FOLDER}/{id}/{name}" for name in mark["parts"]])
    except LeafsightError as error:
        if error.http_status in (413, 415, 422):
            forget(parts, id)
        raise
    parts.state.marks.put(PREFIX + id, {**mark, "parts": [], "done": said}, expected=mark)
    _drop(parts, id)
    return said


def forget(parts: Parts, id: str) -> None:  # noqa: A002
    """An upload in parts is gone; the upload that it became stays.

    Raises:
        StateBusyError, StateError: the database or the store does not answer.
    """
    parts.state.marks.remove(PREFIX + id)
    _drop(parts, id)


def look_after(parts: Parts) -> int:
    """Join what is whole and was left by a process that died, and forget what nobody goes on with.

    Returns:
        How many were joined.

    Raises:
        StateBusyError, StateError: the database or the store does not answer.
    """
    # Before the marks: a part lies there only after its upload has one.
    lying = {name.split("/")[1] for name in parts.blobs.list(FOLDER)}
    old = parts.state.marks.get(IDLE)
    idle: dict[str, list[int]] = {}
    joined = 0
    there = set()
    known = dict(_open(parts.state))
    ended = sorted(id for id, mark in known.items() if mark["done"] is not None)  # noqa: A001
    for id in ended[:-MOST_DONE]:  # noqa: A001
        forget(parts, id)
        del known[id]
    for id, mark in known.items():  # noqa: A001
        there.add(id)
        offset, looks = (old or {}).get(id, (-1, 0))
        looks = looks + 1 if offset == mark["offset"] else 0
        idle[id] = [mark["offset"], looks]
        if looks >= FORGOTTEN_AFTER_LOOKS:
            forget(parts, id)
            del idle[id]
        elif looks and mark["done"] is None and mark["offset"] == mark["length"]:
            joined += _finished(parts, id, mark)
    for id in lying - there:  # noqa: A001
        _drop(parts, id)  # left by a process that died while it forgot them
    if (old or {}) != idle:
        parts.state.marks.put(IDLE, idle, expected=old)
    return joined


def _finished(parts: Parts, id: str, mark: Mapping[str, Any]) -> int:  # noqa: A002
    try:
        finish(parts, id, mark)
    except LeafsightError as error:
        LOG.warning("parts not joined", extra={"fields": {"upload": id, "reason": error.message}})
        return 0
    return 1


def _open(state: State) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in state.marks.names(PREFIX):
        mark = state.marks.get(name)
        if mark is not None:
            yield name.removeprefix(PREFIX), mark


def _drop(parts: Parts, id: str) -> None:  # noqa: A002
    for name in list(parts.blobs.list(f"{FOLDER}/{id}")):
        parts.blobs.delete(name)
