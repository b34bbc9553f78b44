"""Copies of photographs that an earlier call found, so that they are looked for once.

Enters: a read collection and a folder. Leaves: groups of rows, found or remembered. They are remembered for
the same photographs in the same order only; a file that cannot be read is a by-product that is made again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from leafsight import __version__
from leafsight.errors import LeafsightError
from leafsight.inspection import Looked, find_copies
from leafsight.progress import Progress
from leafsight.storage import read_json, write_json

COPIES_FILE = "copies.json"
METHOD = 1
"""Raised whenever the search gives other answers for the same photographs."""

Groups = tuple[tuple[int, ...], ...]


def copies_in(looked: Looked, folder: Path, progress: Progress) -> Groups:
    """Groups of rows that show one picture, however it was changed.

    Args:
        looked: the collection.
        folder: where the answer is kept.
        progress: told of the search.

    Raises:
        StorageError: the answer cannot be kept.
    """
    path, key = folder / COPIES_FILE, _key(looked)
    known = _known(path)
    if known.get("key") == key:
        return tuple(tuple(group) for group in known["groups"])
    groups = find_copies(looked, progress).groups
    write_json(path, {"key": key, "groups": [list(group) for group in groups]})
    return groups


def _key(looked: Looked) -> str:
    rows = looked.rows()
    digest = hashlib.sha256(f"{__version__} {METHOD}\n".encode())
    digest.update(rows.astype("<i8").tobytes())
    for name in ("content_hash", "pixel_hash"):
        digest.update("\n".join(str(one) for one in looked.index.rows(rows).column(name)).encode())
    return digest.hexdigest()


def _known(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path) if path.is_file() else {}
    except (LeafsightError, ValueError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("groups"), list) else {}
