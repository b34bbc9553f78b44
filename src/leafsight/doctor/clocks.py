"""Whether our clock can be right, and how far another one is from it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from leafsight.doctor.findings import Finding

BUILT_MS = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)
"""No clock that is right has an earlier time: this version did not exist then. Moved with each release."""
LEASE_S, WARN_S = 15.0, 5.0
"""A job of somebody whose clock is 15 s off looks abandoned (``state.claims``)."""
WHOLE_SECONDS_S = 2.5
"""Grain of a clock that is told in whole seconds, and kept for another one."""
S3_WARN_S, S3_FAIL_S = 60.0, 900.0
"""S3 refuses what was signed more than 15 minutes off."""
TODO = "let both set their clocks by NTP (chrony, systemd-timesyncd)"


def wall_clock_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def check_clock(now_ms: int) -> Iterator[Finding]:
    """Whether the time can be right at all.

    Args:
        now_ms: what our clock says, milliseconds since 1970 in UTC.
    """
    told = f"it is {_told(now_ms)}"
    if now_ms < BUILT_MS:
        said = f"{told}, which is before this leafsight was made ({_told(BUILT_MS)})"
        yield Finding("clock.here", "fail", said, "set the clock, best by NTP (chrony, systemd-timesyncd)")
    else:
        yield Finding("clock.here", "ok", told)


def compared(
    name: str, whose: str, off_ms: int, *, warn_s: float, fail_s: float, grain_s: float = 1.0
) -> Finding:
    """How far another clock is from ours.

    Args:
        name: of the finding.
        whose: the other one's owner, in words.
        off_ms: its time minus ours.
        warn_s: what should be seen to.
        fail_s: what is too far.
        grain_s: less cannot be told, because of how the other one tells its time.
    """
    off_s = abs(off_ms) / 1000
    said = f"the clock of {whose} is {off_s:.1f} s {'ahead of' if off_ms > 0 else 'behind'} ours"
    if off_s < grain_s:
        return Finding(name, "ok", f"the clock of {whose} is within {grain_s:g} s of ours")
    if off_s > fail_s:
        return Finding(name, "fail", said, TODO)
    return Finding(name, "warn" if off_s > warn_s else "ok", said, TODO if off_s > warn_s else "")


def _told(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
