"""Which names a blob may have. Enters: a name. Leaves: the same name, or an error. It opens nothing.

Names are made by the server, never by who sends a photograph; so a bad one is a mistake of ours, and this is
the second wall behind that rule.
"""

from __future__ import annotations

import re

from leafsight.errors import StateError

MAX_BLOB_BYTES = 1024**3
"""The longest blob, in both directions: what was put can be got."""

LONGEST_NAME_CHARACTERS = 512
LONGEST_SEGMENT_CHARACTERS = 200

# Small letters only, so that two names never meet on a disk that does not tell capitals apart; no dot in
# front, where the folder store keeps what is not finished.
_SEGMENT = r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9_-])?"
_NAME = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")


def is_name(name: str) -> bool:
    """Whether ``name`` may name a blob.

    Args:
        name: segments of ``[a-z0-9._-]`` joined by ``/``. Each begins with a letter or digit and does not
            end with a dot; ``..`` stands nowhere; at most 512 characters, 200 in one segment.
    """
    if len(name) > LONGEST_NAME_CHARACTERS or ".." in name or not _NAME.fullmatch(name):
        return False
    return max(map(len, name.split("/"))) <= LONGEST_SEGMENT_CHARACTERS


def checked_name(name: str) -> str:
    """``name`` itself, when it may name a blob.

    Raises:
        StateError: it may not.
    """
    if not is_name(name):
        raise StateError(f"{name[:80]!r} cannot name a blob", hint="names are made by the server only")
    return name


def check_length(name: str, length_bytes: int, most_bytes: int) -> None:
    """Refuse a blob that is too long.

    Raises:
        StateError: ``length_bytes`` is over ``most_bytes``.
    """
    if length_bytes > most_bytes:
        raise StateError(f"the blob {name} has {length_bytes:,} bytes, the limit is {most_bytes:,}")
