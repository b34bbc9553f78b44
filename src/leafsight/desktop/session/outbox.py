"""What a person gave to learn from and that is not with the server yet: nothing of it is lost.

Enters: what was given, and how far it came. Leaves: the same after the window closed, or died. It sends
nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from leafsight.desktop.session.photographs import Trouble
from leafsight.storage import os_errors_translated, write_json

Stage = Literal["packing", "sending", "looking", "done", "failed"]
STAGES: tuple[Stage, ...] = ("packing", "sending", "looking", "done", "failed")
FILE_NAME = "outbox.json"
MOST_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class Sending:
    """One thing that was given.

    Attributes:
        number: of the thing.
        name: for people.
        source: the folder, the archive, or the photographs' common name.
        files: photographs that were given one by one; empty for a folder or an archive.
        label: the class of these photographs; empty where folders say it.
        server: address of the server that it is for; empty is this computer.
        stage: how far it is.
        part: which of its archives is at work, from 0.
        parts: how many archives it has; 0 before they are counted.
        upload: id on the server of the archive that is at work.
        done_bytes, total_bytes: of what is at work.
        results: what was found in each archive that was looked into, as the server said it.
        trouble: why it does not go on.
    """

    number: int
    name: str
    source: str
    files: tuple[str, ...] = ()
    label: str = ""
    server: str = ""
    stage: Stage = "packing"
    part: int = 0
    parts: int = 0
    upload: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    results: tuple[dict[str, Any], ...] = ()
    trouble: Trouble | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether something is still to happen by itself."""
        return self.stage in ("packing", "sending", "looking")

    def but(self, **changes: Any) -> Sending:
        """The same with these changes."""
        return replace(self, **changes)


class Outbox:
    """A folder with a list of all sendings, and the archives that were made for them.

    Args:
        folder: made when something is given.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._all: dict[int, Sending] = {one.number: one for one in _kept(folder / FILE_NAME)}

    @property
    def sendings(self) -> list[Sending]:
        """All, newest first."""
        return sorted(self._all.values(), key=lambda one: -one.number)

    def get(self, number: int) -> Sending | None:
        """One of them as it is now."""
        return self._all.get(number)

    def next_number(self) -> int:
        """Of the next that is given."""
        return max(self._all, default=0) + 1

    def archive(self, one: Sending) -> Path:
        """Where the archive at work is made."""
        return self.folder / f"{one.number}-{one.part}.zip"

    def put(self, one: Sending, *, keep: bool = True) -> None:
        """As it is now.

        Args:
            one: the sending.
            keep: write it down, too; how many bytes were sent is not worth it.

        Raises:
            DiskFullError, PermissionDeniedError, StorageError: it cannot be written down.
        """
        self._all[one.number] = one
        if keep:
            self._save()

    def drop(self, number: int) -> None:
        """Forget it and remove the archives that were made for it; what the server has stays there."""
        one = self._all.pop(number, None)
        if one is not None:
            self._save()
            for path in self.folder.glob(f"{number}-*.zip*"):
                path.unlink(missing_ok=True)

    def _save(self) -> None:
        with os_errors_translated(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / FILE_NAME, {"sendings": [asdict(one) for one in self._all.values()]})


def _kept(path: Path) -> list[Sending]:
    try:
        if path.stat().st_size > MOST_BYTES:
            return []
        rows = json.loads(path.read_text(encoding="utf-8"))["sendings"]
        return [_read(row) for row in rows]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _read(row: dict[str, Any]) -> Sending:
    known = {one.name for one in fields(Sending)}
    values = {name: value for name, value in row.items() if name in known}
    trouble = values.get("trouble")
    values["trouble"] = None if trouble is None else Trouble(**trouble)
    values["files"], values["results"] = tuple(values.get("files", ())), tuple(values.get("results", ()))
    if values.get("stage") not in STAGES:
        raise ValueError("no such stage")
    return Sending(**values)
