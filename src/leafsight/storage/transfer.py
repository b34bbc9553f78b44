"""One attempt to get the rest of a file from one address, trusting nothing that the server says.

Enters: an address, a part file and what is known of the whole. Leaves: a longer part file, and an error of
the kind that passes (``PassingError``) or not. It does not know retries, mirrors or hashes.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Protocol, runtime_checkable

from leafsight.errors import DiskFullError, StorageError
from leafsight.storage.addresses import check_address, opener, request_for
from leafsight.storage.atomic import os_errors_translated
from leafsight.storage.pace import Pace
from leafsight.storage.part_file import PartFile, plain_url, version_of

CHUNK_BYTES = 1 << 18
OK, PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 200, 206, 416
# Answers that another attempt may change. Source: RFC 9110, 15.5.9, 15.6; RFC 6585 (429); RFC 8470 (425).
PASSING_CODES = {408, 425, 429, 500, 502, 503, 504}
AGAIN = "run the command again: the download goes on where it stopped"
WHY = {
    401: "it wants an account; see what the collection needs",
    403: "it refuses us: an account, accepted terms or another address may be needed",
    404: "the address has moved; try again with another one",
    410: "the address has moved; try again with another one",
}
_WEB_PAGE = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)", re.IGNORECASE)


@runtime_checkable
class Watch(Protocol):
    """Who is told how far it is; every ``leafsight.progress.Progress`` fits."""

    def start(self, label: str, total: int | None = None) -> None:
        """A task of ``total`` bytes begins."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """``steps`` more bytes have come."""

    def finish(self, note: str = "") -> None:
        """All have come."""


class PassingError(StorageError):
    """It did not work this time, and may the next; ``after_s``: how long the server wants to be left."""

    def __init__(self, message: str, *, hint: str = AGAIN, after_s: float = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.after_s = after_s


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known of the file before it is asked for.

    Attributes:
        total_bytes: its exact size; another announced size is refused at once.
        max_bytes: never more than this.
        is_hashed: its hash is checked afterwards, so that bytes of doubtful origin may be gone on from.
        authorization: header for the first host.
        stall_s: longest silence.
        deadline_s: ``time.monotonic()`` at which to give up; infinite when there is none.
    """

    total_bytes: int | None
    max_bytes: int
    is_hashed: bool
    authorization: str | None
    stall_s: float
    deadline_s: float


def receive(url: str, part: PartFile, wanted: Wanted, watch: Watch, label: str) -> None:
    """Ask for what is missing and append it to ``part``; what has come stays when the connection breaks.

    Raises:
        PassingError: a busy or broken server or line, silence, an early end.
        StorageError: the server has no such file, wants an account, sends a web page, or more or other bytes
            than it should. The part is removed where its bytes are to blame.
        UsageError: an address, or a redirect, that is not followed.
        DiskFullError, PermissionDeniedError: here, not there.
    """
    check_address(url, secret=wanted.authorization is not None)
    version = part.version()
    is_same = version is not None and version.url == plain_url(url) and bool(version.validator)
    if part.size_bytes() and not wanted.is_hashed and not is_same:
        part.forget()  # nothing would show that two halves are of different files
    have = part.size_bytes()
    request = request_for(url, wanted.authorization)
    if have:
        request.add_header("Range", f"bytes={have}-")
        if version is not None and is_same:
            request.add_header("If-Range", version.validator)
    try:
        with opener(may_become_plain=wanted.is_hashed).open(request, timeout=wanted.stall_s) as response:
            _take(response, url, part, have, wanted, watch, label)
    except urllib.error.HTTPError as error:
        error.close()
        _explain(error, url, part, have, wanted)
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise PassingError(f"{url}: {_reason(error)}") from error


def _take(
    response: HTTPResponse, url: str, part: PartFile, have: int, wanted: Wanted, watch: Watch, label: str
) -> None:
    have, total = _extent(response, part, have)
    _check_total(total, part, have, wanted, url)
    part.remember(version_of(url, response.headers, total))
    pace = Pace(total, wanted.stall_s)
    watch.start(label, total)
    watch.advance(have)
    most = wanted.max_bytes if total is None else total
    with os_errors_translated(part.path), part.path.open("ab" if have else "wb") as file:
        try:
            for chunk in _chunks(response, url, pace, wanted):
                if not have:
                    _refuse_web_page(response, chunk, url)
                have += len(chunk)
                if have > most:
                    raise StorageError(f"{url} holds more than the limit of {most} bytes")
                file.write(chunk)
                watch.advance(len(chunk), pace.note(have))
        finally:
            file.flush()
            os.fsync(file.fileno())
    if total is not None and have < total:
        raise PassingError(f"{url}: the connection ended after {have} of {total} bytes")
    watch.finish()


def _extent(response: HTTPResponse, part: PartFile, have: int) -> tuple[int, int | None]:
    """Where the answer begins in the file, and how large the whole is, by what the server says."""
    announced = response.headers.get("Content-Length", "")
    length = int(announced) if announced.isdecimal() else None
    if response.status == OK:
        return 0, length  # all of it: the server knows no ranges, or the file is another one now
    if response.status != PARTIAL_CONTENT or not have:
        raise StorageError(f"{response.url}: the server answered {response.status}, not the file")
    told = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", response.headers.get("Content-Range", ""))
    if told is None:
        return have, None if length is None else have + length
    if int(told[1]) != have:
        part.forget()
        raise PassingError(f"{response.url}: asked for byte {have} on, the server sent byte {told[1]} on")
    whole = int(told[2]) + 1 if told[3] == "*" else int(told[3])
    earlier = part.version()
    if earlier is not None and earlier.total_bytes not in (None, whole):
        part.forget()
        raise PassingError(f"{response.url}: the file had {earlier.total_bytes} bytes, now it has {whole}")
    return have, whole


def _check_total(total: int | None, part: PartFile, have: int, wanted: Wanted, url: str) -> None:
    if total is None:
        return
    if wanted.total_bytes is not None and total != wanted.total_bytes:
        part.forget()
        raise StorageError(
            f"{url} holds {total} bytes; the file that was meant has {wanted.total_bytes}",
            hint="the file was changed or replaced by its owner",
        )
    if total > wanted.max_bytes:
        raise StorageError(f"{url} holds {total} bytes, more than the limit of {wanted.max_bytes}")
    free = shutil.disk_usage(part.path.parent).free
    if free < total - have:
        raise DiskFullError(
            f"{url} needs {total - have} more bytes, and {part.path.parent} has {free} free",
            hint="free some space and run the command again",
        )


def _chunks(response: HTTPResponse, url: str, pace: Pace, wanted: Wanted) -> Iterator[bytes]:
    """What comes, as it comes; silence, a trickle, and being late are errors that pass."""
    while True:
        try:
            chunk = response.read1(CHUNK_BYTES)
        except (HTTPException, OSError) as error:
            raise PassingError(f"{url}: {_reason(error)}") from error
        if not chunk:
            return
        yield chunk
        if pace.is_stalled(len(chunk)):
            raise PassingError(f"{url}: hardly a byte came within {wanted.stall_s:g} s")
        if time.monotonic() > wanted.deadline_s:
            raise StorageError(f"{url}: not done within the time limit", hint=AGAIN)


def _refuse_web_page(response: HTTPResponse, chunk: bytes, url: str) -> None:
    kind = response.headers.get_content_type() if "Content-Type" in response.headers else ""
    if kind in ("text/html", "application/xhtml+xml") or _WEB_PAGE.match(chunk):
        raise StorageError(
            f"{url} gives a web page, not the file",
            hint="it may be a page to log in, to accept terms, or an error; open the address in a browser",
        )


def _explain(error: urllib.error.HTTPError, url: str, part: PartFile, have: int, wanted: Wanted) -> None:
    """Turn an answer that is no file into our error; returns when the part turns out to be complete."""
    if error.code == RANGE_NOT_SATISFIABLE and have:
        told = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range", ""))
        whole = int(told[1]) if told else wanted.total_bytes
        if whole == have or (whole is None and wanted.is_hashed):
            return  # nothing is missing; the hash will tell
        part.forget()
        raise PassingError(f"{url}: the part that was there does not fit the file")
    message = f"{url}: the server answered {error.code} {' '.join(str(error.reason).split())}"
    if error.code in PASSING_CODES:
        told_s = error.headers.get("Retry-After", "")
        raise PassingError(message, after_s=float(told_s) if told_s.isdecimal() else 0.0) from error
    raise StorageError(message, hint=WHY.get(error.code, "")) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer within the time allowed"
    return str(error) or type(error).__name__
