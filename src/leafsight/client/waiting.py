"""How long to wait before another try: full jitter, and what the server asks for.

Enters: how often it failed, headers, a random number. Leaves: seconds. It does not know clocks: they are
handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

FIRST_WAIT_S = 0.25
MOST_WAIT_S = 8.0
MOST_ASKED_S = 60.0
"""A server that asks for more is asked again after this time, if there is so much left."""


def jittered_s(failures: int, draw: float) -> float:
    """Seconds between 0 and a bound that doubles with every failure.

    "Full jitter": M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. Many callers
    that fail at the same moment do not come back at the same moment.

    Args:
        failures: how many tries failed, from 1 on.
        draw: a random number, 0..1.
    """
    return draw * min(MOST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - 1, 16))


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """What ``Retry-After`` asks for (RFC 9110, 10.2.3), in seconds from now, 0 or more.

    Args:
        headers: names in small letters.
        now_s: seconds since 1970, UTC.

    Returns:
        None when the header is missing or says nothing that can be read.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, TypeError, OverflowError, IndexError, OSError):
        return None
