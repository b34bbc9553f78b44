"""What the window keeps on this computer: where, and how much; and how a person is rid of it.

Enters: the folders of the window and of the store. Leaves: a list, and folders that are empty. What was
learned from and the models are never removed here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leafsight.desktop.session.language import tr
from leafsight.storage import os_errors_translated


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing that is kept.

    Attributes:
        name: for programs.
        title: for people.
        path: the folder or file.
        size_bytes: of all in it; 0 when it is not there.
        may_go: whether it can be removed here.
    """

    name: str
    title: str
    path: Path
    size_bytes: int
    may_go: bool


def kept(state_dir: Path, store: Path) -> list[Kept]:
    """Everything, also what is not there yet. Walks through folders, so not for the window's thread."""
    places: Sequence[tuple[str, str, Path, bool]] = (
        (
            "open",
            tr("Which photographs are open, and your word on them"),
            state_dir / "open.jsonl",
            False,
        ),
        ("pasted", tr("Pictures that were pasted"), state_dir / "pasted", True),
        ("outbox", tr("Photographs on their way to be learned from"), state_dir / "outbox", False),
        ("understand", tr("What was found in collections"), state_dir / "understand", True),
        ("blobs", tr("Photographs that were given to learn from"), store / "blobs", False),
        ("registry", tr("Models"), store / "registry", False),
        ("database", tr("What was decided, learned and promoted"), store / "leafsight.db", False),
    )
    return [
        Kept(name, title, path, _size_bytes(path), may_go and path.exists())
        for name, title, path, may_go in places
    ]


def remove(one: Kept) -> None:
    """Remove it.

    Raises:
        PermissionDeniedError, StorageError: it cannot be.
    """
    if not one.may_go:
        raise ValueError(f"{one.name} stays")
    with os_errors_translated(one.path):
        shutil.rmtree(one.path)


def _size_bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    total = 0
    for place, _, names in os.walk(path):
        for name in names:
            try:
                total += (Path(place) / name).lstat().st_size
            except OSError:  # it went just now
                continue
    return total
