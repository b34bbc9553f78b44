"""The database and the store for photographs, held against each other.

Enters: both, open. Leaves: names that only one of them knows. It removes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import select

from leafsight.state.blobs import Blobs
from leafsight.state.ids import is_id
from leafsight.state.opening import State
from leafsight.state.tables import CONTRIBUTIONS, PREDICTIONS, UPLOADS

PHOTOGRAPHS = "photographs"
"""The folder of kept photographs; each is called by the id of its prediction, such as ``<id>.jpg``."""

NAMES_AT_ONCE = 500
NAMING = (PREDICTIONS.c.photo_blob, UPLOADS.c.blob, CONTRIBUTIONS.c.blob)
"""The columns that name what is in the store."""


def missing_blobs(state: State, blobs: Blobs) -> tuple[str, ...]:
    """What predictions, uploads and contributions name and the store does not have, sorted.

    Raises:
        StateBusyError, StateError: the database or the store does not answer.
    """
    wanted: set[str] = set()
    with state.database.reading(one_moment=True) as connection:
        for column in NAMING:
            wanted.update(connection.execute(select(column).where(column.is_not(None))).scalars())
    wanted.difference_update(blobs.list())
    # Asked for once more: somebody may have pruned between the two.
    gone = sorted(wanted)
    for start in range(0, len(gone), NAMES_AT_ONCE):
        wanted.difference_update(_unnamed(state, gone[start : start + NAMES_AT_ONCE]))
    return tuple(sorted(wanted))


def stray_photographs(state: State, blobs: Blobs, before_ms: int) -> Iterator[str]:
    """Photographs older than ``before_ms`` that nothing in the database names.

    They are what a process leaves behind that dies between the photograph and its row, or between removing
    the row and removing the photograph.

    Args:
        state: open.
        blobs: open.
        before_ms: milliseconds since 1970 in UTC; the age of a photograph is that of the id in its name.

    Raises:
        StateBusyError, StateError: the database or the store does not answer.
    """
    old: list[str] = []
    for name in blobs.list(PHOTOGRAPHS):
        if _is_older(name, before_ms):
            old.append(name)
        if len(old) == NAMES_AT_ONCE:
            yield from _unnamed(state, old)
            old = []
    yield from _unnamed(state, old)


def _is_older(name: str, before_ms: int) -> bool:
    one = name.rpartition("/")[2].partition(".")[0]
    return is_id(one) and int(one[:12], 16) < before_ms


def _unnamed(state: State, names: Iterable[str]) -> list[str]:
    left = set(names)
    if left:
        with state.database.reading() as connection:
            for column in NAMING:
                left.difference_update(connection.execute(select(column).where(column.in_(left))).scalars())
    return sorted(left)
