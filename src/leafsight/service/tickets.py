"""Short permits for one file of one report, so that a frame can load it without a key.

Enters: which file, and the time. Leaves: a text that goes into an address, and whether such a text holds. The
secret is one for all copies of the service on a database. What a ticket opens, ``reports_routes`` says.
"""

from __future__ import annotations

import hashlib
import hmac
import re

SIGNED_WITH = "tickets"
"""The name of the secret that the database keeps."""
LASTS_MS = 60_000
CLOCKS_APART_MS = 15_000
"""The clock of the copy that issued a ticket may be ahead by so much; as with the lease of a job."""
_FORM = re.compile(r"([0-9]{1,15})\.([0-9a-f]{64})")


def issue(secret: bytes, report: str, name: str, now_ms: int) -> str:
    """A ticket for ``name`` of ``report``, good for a minute.

    Args:
        secret: of the service.
        report: its id.
        name: of the file.
        now_ms: milliseconds since 1970 in UTC.
    """
    until_ms = now_ms + LASTS_MS
    return f"{until_ms}.{_signature(secret, report, name, until_ms)}"


def is_timely(ticket: str, now_ms: int) -> bool:
    """Whether ``ticket`` has the form of one that would hold now; no secret is needed for that.

    Args:
        ticket: as it was sent.
        now_ms: milliseconds since 1970 in UTC.
    """
    found = _FORM.fullmatch(ticket)
    return found is not None and now_ms <= int(found[1]) <= now_ms + LASTS_MS + CLOCKS_APART_MS


def holds(ticket: str, secret: bytes, report: str, name: str, now_ms: int) -> bool:
    """Whether ``ticket`` was issued for this file of this report, and not too long ago.

    Args:
        ticket: as it was sent.
        secret: of the service.
        report: its id.
        name: of the file.
        now_ms: milliseconds since 1970 in UTC.
    """
    found = _FORM.fullmatch(ticket)
    if found is None:
        return False
    right = hmac.compare_digest(_signature(secret, report, name, int(found[1])), found[2])
    return right and is_timely(ticket, now_ms)


def _signature(secret: bytes, report: str, name: str, until_ms: int) -> str:
    said = f"report-file\n{report}\n{name}\n{until_ms}".encode()
    return hmac.new(secret, said, hashlib.sha256).hexdigest()
