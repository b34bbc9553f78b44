"""A look at a store for photographs from outside: a small object comes and goes.

Enters: an address, as ``open_blobs`` takes it. Leaves: plain facts, or one of our errors. A folder that no
service has used yet is not made.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

from leafsight.errors import LeafsightError
from leafsight.state.blobs import folder_of, open_blobs
from leafsight.state.folder_blobs import UNFINISHED
from leafsight.state.ids import clock_ms
from leafsight.storage import os_errors_translated


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLook:
    """What a store did with a small object.

    Attributes:
        kind: which of the two.
        where: folder or bucket, for people.
        same: the bytes came back as they were put.
        took_ms: for writing, reading and deleting.
        clock_ms: what time the store has, to the second; None for a folder.
        clock_off_ms: that minus our clock when it was put.
    """

    kind: Literal["folder", "s3"]
    where: str
    same: bool
    took_ms: float
    clock_ms: int | None = None
    clock_off_ms: int = 0


def look_at_store(url: str, *, timeout_s: float, now: Callable[[], int] = clock_ms) -> StoreLook | None:
    """Put a small object, read it back and delete it; None where the folder was not used yet.

    Args:
        url: as of ``open_blobs``.
        timeout_s: how long a bucket may be silent, in seconds.
        now: the clock, milliseconds since 1970 in UTC.

    Raises:
        ConfigError: an address that cannot be understood.
        StateBusyError, StateError: the store.
        MissingExtraError: S3 without the extra ``serve``.
    """
    in_bucket = url[:5].lower() == "s3://"
    if not in_bucket:
        with os_errors_translated(folder_of(url)):
            if not (folder_of(url) / UNFINISHED).is_dir():
                return None
    store = open_blobs(url, timeout_s=timeout_s)
    store.check()
    name, data = f"doctor-{secrets.token_hex(8)}", secrets.token_bytes(64)
    started, started_ms, clock = perf_counter(), now(), None
    try:
        store.put(name, data)
        if in_bucket:
            clock = store.written_ms(name)  # type: ignore[attr-defined]
        same = store.get(name) == data
    except BaseException:
        with suppress(LeafsightError):
            store.delete(name)
        raise
    store.delete(name)
    return StoreLook(
        kind="s3" if in_bucket else "folder",
        where=url.partition("?")[0] if in_bucket else str(folder_of(url)),
        same=same,
        took_ms=(perf_counter() - started) * 1e3,
        clock_ms=clock,
        clock_off_ms=0 if clock is None else clock - started_ms,
    )
