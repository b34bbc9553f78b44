"""Lists a page at a time: the cursor is opaque to callers, and does not move when new entries come."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated

from fastapi import Query

from leafsight.errors import UsageError

ID = re.compile("[0-9a-f]{32,64}")
PLAIN = r"^[^\x00-\x1f\x7f]*$"
"""Text on one line, without control characters."""
Limit = Annotated[int, Query(ge=1, le=200, description="Entries of a page.")]
After = Annotated[str | None, Query(max_length=200, description="'next' of the page before.")]


def cursor_of(last_id: str | None) -> str | None:
    """The cursor behind an entry."""
    return None if last_id is None else base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def id_of(cursor: str | None) -> str | None:
    """The entry that a cursor stands behind.

    Raises:
        UsageError: it is no cursor of ours.
    """
    if cursor is None:
        return None
    try:
        found = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        found = ""
    if not ID.fullmatch(found):
        raise UsageError("'after' is no cursor", hint="use 'next' of the page before as it is")
    return found
