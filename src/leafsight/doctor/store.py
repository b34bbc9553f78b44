"""Whether the store for photographs takes, gives back and forgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from leafsight.doctor.clocks import S3_FAIL_S, S3_WARN_S, WHOLE_SECONDS_S, compared
from leafsight.doctor.findings import Finding, of_error
from leafsight.errors import LeafsightError
from leafsight.storage import may_be_made, nearest_there


def check_store(url: str, *, timeout_s: float, now: Callable[[], int]) -> Iterator[Finding]:
    """Put a small object, read it, delete it; a folder that is not there is not made.

    Args:
        url: a folder or a bucket.
        timeout_s: how long a bucket may be silent.
        now: the clock, milliseconds since 1970 in UTC.
    """
    from leafsight.state import look_at_store

    name = "store.works"
    try:
        look = look_at_store(url, timeout_s=timeout_s, now=now)
    except LeafsightError as error:
        busy = "see that the store runs there, and correct LEAFSIGHT_BLOB_URL if it is elsewhere"
        yield of_error(name, error, busy=busy)
        return
    if look is None:
        yield _unused(name, Path(url.removeprefix("file://")).expanduser().absolute())
        return
    told = f"64 bytes written, read and deleted in {look.took_ms:.0f} ms"
    if not look.same:
        yield Finding(
            name, "fail", f"{look.where} gave back other bytes than it was given", "check disk or bucket"
        )
    else:
        yield Finding(name, "ok", f"{look.where}: {told}")
    if look.clock_ms is not None:
        yield compared(
            "clock.store",
            "the store",
            look.clock_off_ms,
            warn_s=S3_WARN_S,
            fail_s=S3_FAIL_S,
            grain_s=WHOLE_SECONDS_S,
        )


def _unused(name: str, folder: Path) -> Finding:
    if may_be_made(folder):
        return Finding(name, "ok", f"{folder} was not used yet; it will be made at the first start")
    return Finding(
        name, "fail", f"{folder} cannot be made: {nearest_there(folder)} cannot be written",
        "make it for the user that serves, or name another place with --blobs",
    )  # fmt: skip
