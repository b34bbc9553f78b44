"""A file from the web: tried again, tried elsewhere, checked by hash, put in place at once.

Enters: the addresses of one file and what is known of it. Leaves: the whole file under its name, or a part
to go on from and an error that names each address and what was wrong there. It does not know what the file
means. The address may lie: about its size, its ranges, its kind.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from leafsight.errors import DiskFullError, LeafsightError, PermissionDeniedError, StorageError, UsageError
from leafsight.storage.atomic import os_errors_translated, sync_folder
from leafsight.storage.hashing import file_sha256
from leafsight.storage.part_file import PartFile
from leafsight.storage.transfer import AGAIN, PassingError, Wanted, Watch, receive

HEX_DIGITS = 64


class DownloadOptions(BaseModel):
    """How patient a download is.

    Attributes:
        max_bytes: a larger file is refused, by its announced or its actual size.
        retries: attempts after the first that may fail in a row without a new byte; an attempt that brought
            bytes counts anew. 0 tries once.
        first_wait_s: pause before the second attempt; each further one is twice as long.
        longest_wait_s: no pause is longer, whatever a server asks for.
        stall_s: longest silence on the line.
        total_s: longest time for the file with all attempts and addresses; ``None`` for no limit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: int = Field(default=64 * 1024**3, ge=1)
    retries: int = Field(default=5, ge=0, le=100)
    first_wait_s: float = Field(default=1.0, ge=0.0)
    longest_wait_s: float = Field(default=60.0, ge=0.0)
    stall_s: float = Field(default=30.0, gt=0.0)
    total_s: float | None = Field(default=None, gt=0.0)


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file and where it can be had.

    Attributes:
        urls: addresses of the same bytes, the best first; http or https.
        sha256: of the whole file in hex, when somebody published it.
        total_bytes: its exact size, when known.
        authorization: value of the ``Authorization`` header, for the host in ``urls`` alone; never shown.
    """

    urls: tuple[str, ...]
    sha256: str | None = None
    total_bytes: int | None = None
    authorization: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A complete file. ``url`` is empty when it was there before."""

    path: Path
    sha256: str
    total_bytes: int
    url: str


class _NobodyWatches:
    def start(self, label: str, total: int | None = None) -> None: ...

    def advance(self, steps: int = 1, note: str = "") -> None: ...

    def finish(self, note: str = "") -> None: ...


def download(
    file: WebFile, target: Path, options: DownloadOptions | None = None, watch: Watch | None = None
) -> Downloaded:
    """The file at ``target``, downloaded unless it is there.

    An interrupted download goes on where it stopped if the server can do that and the file is still the same
    (``If-Range``); without hash and without a version from the server it starts anew, as nothing would show
    that two halves do not belong together. The file appears under its final name only when it is whole.

    Args:
        file: addresses, hash, size.
        target: final path; ``target.part`` beside it holds what has come.
        options: patience.
        watch: told of bytes, speed and the time left.

    Raises:
        UsageError: the only address, or where it leads, is not followed; or the hash is none.
        StorageError: no address gave the file; the message names each and its reason.
        DiskFullError, PermissionDeniedError: the folder cannot be written or has too little room.
    """
    options = options or DownloadOptions()
    sha256 = _checked_hash(file)
    with os_errors_translated(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_file():
        found = file_sha256(target)
        if sha256 in (None, found):
            return Downloaded(target, found, target.stat().st_size, "")
    deadline_s = math.inf if options.total_s is None else time.monotonic() + options.total_s
    wanted = Wanted(
        total_bytes=file.total_bytes,
        max_bytes=options.max_bytes,
        is_hashed=sha256 is not None,
        authorization=file.authorization,
        stall_s=options.stall_s,
        deadline_s=deadline_s,
    )
    reasons: list[LeafsightError] = []
    for url in file.urls:
        part = PartFile(target)
        try:
            found = _whole(url, part, sha256, wanted, options, watch or _NobodyWatches(), target.name)
        except (DiskFullError, PermissionDeniedError):
            raise
        except (StorageError, UsageError) as error:
            reasons.append(error)
            continue
        part.become(target)
        sync_folder(target.parent)
        return Downloaded(target, found, target.stat().st_size, url)
    if len(reasons) == 1:
        raise reasons[0]
    lines = "\n".join(f"  {reason.message}" for reason in reasons)
    hint = next((reason.hint for reason in reasons if reason.hint), AGAIN)
    raise StorageError(f"no address of {target.name} gave the file:\n{lines}", hint=hint)


def _checked_hash(file: WebFile) -> str | None:
    if not file.urls:
        raise UsageError("no address to download from")
    if file.sha256 is None:
        return None
    digits = file.sha256.lower()
    if len(digits) != HEX_DIGITS or set(digits) - set("0123456789abcdef"):
        raise UsageError(f"the download of {file.urls[0]} needs the SHA-256 of the file, got '{file.sha256}'")
    return digits


def _whole(
    url: str,
    part: PartFile,
    sha256: str | None,
    wanted: Wanted,
    options: DownloadOptions,
    watch: Watch,
    label: str,
) -> str:
    """Fill ``part`` from one address until it is the whole file; its hash."""
    resumed = part.size_bytes() > 0
    _persist(url, part, wanted, options, watch, label)
    found = file_sha256(part.path)
    if resumed and sha256 not in (None, found):
        # The first half may be of an older file; a fresh start decides.
        part.forget()
        _persist(url, part, wanted, options, watch, label)
        found = file_sha256(part.path)
    if sha256 not in (None, found):
        part.forget()
        raise StorageError(
            f"{url} has the SHA-256 {found}, not {sha256}", hint="the file was changed or the hash is wrong"
        )
    size = part.size_bytes()
    if wanted.total_bytes not in (None, size):
        part.forget()
        raise StorageError(f"{url} gave {size} bytes; the file that was meant has {wanted.total_bytes}")
    return found


def _persist(
    url: str, part: PartFile, wanted: Wanted, options: DownloadOptions, watch: Watch, label: str
) -> None:
    """Try until it works, until nothing new comes, or until the time is over."""
    most = part.size_bytes()
    misses = 0
    while True:
        try:
            receive(url, part, wanted, watch, f"downloading {label}")
            return
        except PassingError as error:
            have = part.size_bytes()
            misses = 0 if have > most else misses + 1
            most = max(most, have)
            wait_s = max(options.first_wait_s * 2.0 ** max(misses - 1, 0), error.after_s)
            wait_s = min(wait_s, options.longest_wait_s)
            if not options.retries or misses > options.retries:
                raise
            if time.monotonic() + wait_s > wanted.deadline_s:
                raise StorageError(f"{error.message}; no time is left to try again", hint=AGAIN) from error
            watch.start(f"{error.message}; trying again in {wait_s:g} s")
        time.sleep(wait_s)
