"""Names of files: made readable, and told from what desktops leave behind.

Enters: a name as a disk or an archive has it. Leaves: text, or yes or no. It looks at no file.
"""

from __future__ import annotations

import os

LITTER = {"thumbs.db", "desktop.ini", "icon\r", "__macosx"}
"""Left behind by desktops and version control; never what somebody meant to give."""


def readable(name: str) -> str:
    r"""``name`` as valid Unicode; bytes that are no UTF-8 show as ``\xNN``."""
    return os.fsencode(name).decode("utf-8", errors="backslashreplace")


def is_litter(name: str) -> bool:
    """Whether a part of the name, between ``/``, is hidden or litter."""
    return any(part.startswith(".") or part.lower() in LITTER for part in name.split("/"))


def free_name(name: str, taken: dict[str, int]) -> str:
    """``name``, or ``name~2``, ``name~3``, ... when it is taken already; what is returned is taken then.

    Args:
        name: wanted.
        taken: how often each name was wanted; grows.
    """
    free = name
    while free in taken:
        taken[name] += 1
        free = f"{name}~{taken[name]}"
    taken[free] = 1
    return free
