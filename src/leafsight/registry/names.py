"""What an alias may be called, how a hash may be shortened, and how long a note may be.

Enters: text that a person or a program typed. Leaves: the same text, found good, or the hash that is meant.
It does not know where bundles lie.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from leafsight.errors import ConflictError, NotFoundError, UsageError, nearest

SERVING = "serving"
"""The alias of the model that a server runs."""
CHAMPION = "champion"
"""Another word for ``serving``, understood wherever an alias is read; no alias of its own."""
BUILTIN = "builtin"
"""The word for the model that ships in the package; it is no alias."""
MOST_NOTE_CHARACTERS = 2000
MOST_BY_CHARACTERS = 200
LEAST_PREFIX_DIGITS = 4
SHORT_DIGITS = 12
LONGEST_SHOWN_CHARACTERS = 80
_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_HEX = re.compile(r"[0-9a-f]{1,64}")
_HASH = re.compile(r"[0-9a-f]{64}")


def is_hash(text: str) -> bool:
    """Whether ``text`` is a whole content hash: 64 hex digits."""
    return _HASH.fullmatch(text) is not None


def is_alias(text: str) -> bool:
    """Whether an alias may be called so.

    A word of hex digits alone, such as ``facade``, is none: it could be the beginning of a hash.
    """
    return _ALIAS.fullmatch(text) is not None and not _HEX.fullmatch(text) and text != BUILTIN


def canonical(name: str) -> str:
    """``name`` itself; ``serving`` for ``champion``, which means the same."""
    return SERVING if name == CHAMPION else name


def check_alias(alias: str) -> str:
    """``alias`` itself, or ``serving`` for ``champion``.

    Raises:
        UsageError: an alias may not be called so.
    """
    if not is_alias(alias):
        raise UsageError(
            f"{shown(alias)} cannot be an alias",
            hint="a small letter, then up to 63 small letters, digits, '-' or '_'; not 'builtin', and not hex"
            " digits alone",
        )
    return canonical(alias)


def check_text(text: str, what: str, most_characters: int) -> str:
    """``text`` without spaces around it.

    Raises:
        UsageError: it is too long, or holds what cannot be written as UTF-8.
    """
    text = text.strip()
    if len(text) > most_characters:
        raise UsageError(f"the {what} has {len(text)} characters", hint=f"at most {most_characters}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"the {what} is not valid text: {error.reason}") from error
    return text


def find_hash(wanted: str, hashes: Collection[str], aliases: Collection[str]) -> str:
    """The one hash that begins with ``wanted``, in small or capital letters.

    Args:
        wanted: a hash, or its first digits, 4 at the least.
        hashes: all there are.
        aliases: names that exist, for a hint.

    Raises:
        NotFoundError: none does, or ``wanted`` is too short or nothing like a hash.
        ConflictError: several do.
    """
    digits = wanted.lower()
    found = sorted(one for one in hashes if one.startswith(digits)) if _HEX.fullmatch(digits) else []
    if found and len(digits) < LEAST_PREFIX_DIGITS:
        raise NotFoundError(
            f"{shown(wanted)} is too short for a model's hash",
            hint=f"give {LEAST_PREFIX_DIGITS} digits or more",
        )
    if len(found) > 1:
        some = ", ".join(one[:SHORT_DIGITS] for one in found[:4]) + (", ..." if len(found) > 4 else "")
        raise ConflictError(
            f"{shown(wanted)} fits {len(found)} models: {some}", hint="give more digits of the hash"
        )
    if not found:
        close = nearest(wanted[:LONGEST_SHOWN_CHARACTERS], [*aliases, BUILTIN])
        meant = f"did you mean '{close}'? " if close else ""
        raise NotFoundError(
            f"the registry has no model {shown(wanted)}", hint=f"{meant}leafsight models ls lists them"
        )
    return found[0]


def shown(text: str) -> str:
    """``text`` in quotation marks, cut to a length that fits a line, without control characters."""
    cut = text if len(text) <= LONGEST_SHOWN_CHARACTERS else text[: LONGEST_SHOWN_CHARACTERS - 1] + "…"
    return repr(cut)
