"""In which way two lists of classes differ, in words."""

from __future__ import annotations

from collections.abc import Sequence

MOST_NAMED = 5


def class_differences(known: Sequence[str], wanted: Sequence[str]) -> str:
    """The differences, or an empty text when both lists are the same in the same order."""
    said = []
    if missing := [name for name in wanted if name not in set(known)]:
        said.append(f"it does not know {_named(missing)}")
    if extra := [name for name in known if name not in set(wanted)]:
        said.append(f"it knows {_named(extra)} besides")
    if not said and len(known) != len(wanted):
        said.append("a class was given twice")
    if not said and tuple(known) != tuple(wanted):
        at = next(i for i, (a, b) in enumerate(zip(known, wanted, strict=True)) if a != b)
        said.append(f"the order differs from class {at} on ({known[at]!r}, wanted {wanted[at]!r})")
    return " and ".join(said)


def _named(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name) for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{listed} and {more} more" if more > 0 else listed
