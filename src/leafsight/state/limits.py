"""What fits into a row, checked before the database sees it.

Enters: values on their way into a column. Leaves: nothing, or one error that names the column, what came and
what fits. It does not know the tables; they hand in the limits. SQLite would take a text of any length, and
PostgreSQL would answer with its own words, so that both are asked only for what both keep.
"""

from __future__ import annotations

import json
from typing import Any

from leafsight.errors import UsageError

MAX_JSON_BYTES = 256 * 1024
MAX_INTEGER = 2**63 - 1
MAX_COUNT = 2**31 - 1
MAX_PAGE = 200


def json_text(value: Any) -> str:
    r"""``value`` as JSON in ASCII: ``\u0000`` and half surrogates are escaped, so any database keeps them.

    Raises:
        UsageError: over ``MAX_JSON_BYTES``, a NaN or infinity, or nothing that JSON can say.
    """
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"this cannot be kept as JSON: {error}") from error
    if len(text) > MAX_JSON_BYTES:
        raise UsageError(
            f"{len(text)} bytes of JSON are too many to keep, the most is {MAX_JSON_BYTES}",
            hint="ask for fewer classes, or without the heatmap",
        )
    return text


def check_text(name: str, value: str, max_chars: int) -> None:
    """Refuse a text that is too long or that a database cannot hold.

    Raises:
        UsageError: over ``max_chars``, a NUL character, or half a surrogate pair.
    """
    if len(value) > max_chars:
        raise UsageError(f"{name} has {len(value)} characters, the most is {max_chars}", hint="shorten it")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{name} holds half a character", hint="send UTF-8") from error
    if "\x00" in value:
        raise UsageError(f"{name} holds a NUL character", hint="send text without it")


def check_bytes(name: str, value: bytes, max_bytes: int) -> None:
    """Refuse bytes over ``max_bytes``.

    Raises:
        UsageError: there are more.
    """
    if len(value) > max_bytes:
        raise UsageError(f"{name} has {len(value)} bytes, the most is {max_bytes}")


def check_integer(name: str, value: int, most: int) -> None:
    """Refuse a number that is below zero or above ``most``.

    Raises:
        UsageError: it is.
    """
    if not 0 <= value <= most:
        raise UsageError(f"{name} is {value}, it must be between 0 and {most}")


def check_page(limit: int) -> None:
    """Refuse a page of no or too many records.

    Raises:
        UsageError: not 1..``MAX_PAGE``.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise UsageError(f"limit is {limit}, it must be between 1 and {MAX_PAGE}")
