"""Aliases: one small file each that says where it points now, and one that says where it ever pointed.

Enters: changes. Leaves: the present change of an alias, and all of them. It does not know what a model is,
and takes no lock: who moves an alias is alone in the registry already.

``aliases/NAME.json`` is the truth, replaced in one step. It holds its own line of ``history/NAME.jsonl``,
written after it: when that line is missing or torn, because the machine stopped or the disk was full,
readers see it all the same and the next change writes it first.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from leafsight.errors import LeafsightError, StorageError
from leafsight.registry.names import is_alias
from leafsight.registry.records import Change, Entry, change_from_dict
from leafsight.registry.staging import PART
from leafsight.storage import canonical_json, os_errors_translated, read_json, sync_folder, write_json

MAX_POINTER_BYTES = 64 * 1024
MAX_HISTORY_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an alias stands, for one who is about to move it.

    Attributes:
        latest: the change that made it point where it does; None when it points nowhere.
        history: all its changes, the oldest first.
        readable: the pointer itself can be read; otherwise ``latest`` is the last change of the history.
        tag: of the pointer, where it is an object in a bucket; None when there is none.
    """

    latest: Change | None
    history: list[Change]
    readable: bool = True
    tag: str | None = None

    def points_to(self, entry: Entry) -> bool:
        """Whether the alias points to exactly this model, in a pointer that can be read."""
        now = self.latest
        return self.readable and now is not None and (now.hash, now.builtin) == (entry.hash, entry.builtin)


class Pointers:
    """What lies in ``aliases`` and ``history`` of a registry's folder."""

    def __init__(self, folder: Path) -> None:
        self._aliases = folder / "aliases"
        self._history = folder / "history"

    def names(self) -> list[str]:
        """Every alias that points somewhere, sorted."""
        with os_errors_translated(self._aliases):
            try:
                found = [path.name for path in self._aliases.iterdir()]
            except FileNotFoundError:
                return []
        stems = (name.removesuffix(".json") for name in found if name.endswith(".json"))
        return sorted(stem for stem in stems if is_alias(stem))

    def current(self, alias: str) -> Change | None:
        """The change that made the alias point where it does; None when it points nowhere.

        Raises:
            StorageError: its file is damaged or cannot be read.
        """
        try:
            values = read_json(self._path(alias), max_bytes=MAX_POINTER_BYTES)
            return change_from_dict(values, alias)
        except ValueError as error:
            raise damaged_pointer(self._path(alias), alias, str(error)) from error
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            if isinstance(error.__cause__, OSError):
                raise
            raise damaged_pointer(self._path(alias), alias, "it is not valid JSON") from error

    def latest(self, alias: str) -> Change | None:
        """As ``current``; where the alias's file is damaged, the last change of its history."""
        try:
            return self.current(alias)
        except StorageError:
            return next(reversed(self.history(alias)), None)

    def standing(self, alias: str) -> Standing:
        """Where the alias stands; ask while alone in the registry."""
        try:
            latest, readable = self.current(alias), True
        except StorageError:
            latest, readable = self.latest(alias), False
        return Standing(latest, self.history(alias), readable)

    def history(self, alias: str) -> list[Change]:
        """Every change of an alias, the oldest first; lines that cannot be read are left out.

        A damaged pointer is no obstacle: the history then tells all but perhaps the last change.

        Raises:
            StorageError: the file is over 256 MiB or cannot be read.
        """
        current = None
        # First: a change writes the line of the one before it and then moves the alias, so lines that are
        # read later lack this one at most. The other way round, changes between the two looks are a gap.
        with suppress(StorageError):
            current = self.current(alias)
        changes = self._read(alias)[0]
        if current is not None and (not changes or changes[-1].number < current.number):
            changes.append(current)
        return changes

    def lost_lines(self, alias: str) -> int:
        """How many lines of the history cannot be read."""
        return self._read(alias)[1]

    def move(self, change: Change) -> None:
        """Let an alias point elsewhere, all at once, and write its history.

        Raises:
            DiskFullError, PermissionDeniedError, StorageError: the alias points where it did.
        """
        self.settle(change.alias)
        with os_errors_translated(self._history):
            self._history.mkdir(parents=True, exist_ok=True)
        write_json(self._path(change.alias), change.to_dict())
        # From here on the alias has moved and its file tells everything; the line may come later.
        with suppress(StorageError):
            self.settle(change.alias)

    def settle(self, alias: str) -> None:
        """Write the line that the history of an alias lacks, if it lacks one.

        Raises:
            DiskFullError, PermissionDeniedError, StorageError: from the file system.
        """
        try:
            current = self.current(alias)
        except StorageError:
            return  # a damaged pointer tells no line; it is about to be replaced
        if current is None:
            return
        missing = missing_of(current, alias, self._bytes(alias))
        if missing:
            self._append(alias, missing)

    def tidy(self) -> None:
        """End what somebody who died began."""
        for part in self._aliases.glob(f".*{PART}"):
            with suppress(OSError):
                part.unlink()
        with suppress(LeafsightError):
            for alias in self.names():
                with suppress(LeafsightError):
                    self.settle(alias)

    def token(self, alias: str) -> str:
        """Another text after every change of an alias, from two looks at the folder."""
        # The length of the history only grows: it tells two changes within one tick of the file's clock.
        looks = []
        for path in (self._path(alias), self._history_path(alias)):
            try:
                found = path.stat()
                looks.append(f"{found.st_ino:x}.{found.st_mtime_ns:x}.{found.st_size:x}")
            except OSError:
                looks.append("none")
        return "-".join(looks)

    def _append(self, alias: str, data: bytes) -> None:
        path = self._history_path(alias)
        with os_errors_translated(path):
            self._history.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self._history)

    def _bytes(self, alias: str) -> bytes:
        path = self._history_path(alias)
        with os_errors_translated(path):
            try:
                if path.stat().st_size > MAX_HISTORY_BYTES:
                    raise StorageError(
                        f"{path} is larger than {MAX_HISTORY_BYTES} bytes", hint="move it away"
                    )
                return path.read_bytes()
            except FileNotFoundError:
                return b""

    def _read(self, alias: str, data: bytes | None = None) -> tuple[list[Change], int]:
        return read_lines(self._bytes(alias) if data is None else data, alias)

    def _path(self, alias: str) -> Path:
        return self._aliases / f"{alias}.json"

    def _history_path(self, alias: str) -> Path:
        return self._history / f"{alias}.jsonl"


def read_lines(data: bytes, alias: str) -> tuple[list[Change], int]:
    """The changes in the whole lines of a history, and how many lines are none."""
    changes, lost = [], 0
    for line in data.split(b"\n")[:-1]:
        try:
            changes.append(change_from_dict(json.loads(line), alias))
        except (ValueError, RecursionError):
            lost += 1
    return changes, lost


def missing_of(change: Change, alias: str, data: bytes) -> bytes:
    """What is to be written behind a history so that it ends with a change; nothing when it does.

    Args:
        change: where the alias points now.
        alias: which one.
        data: of the history, which may end in the middle of a line.
    """
    line = canonical_json(change.to_dict()).encode() + b"\n"
    tail = data[data.rfind(b"\n") + 1 :]
    changes = read_lines(data, alias)[0]
    behind = not changes or changes[-1].number < change.number
    if tail and line.startswith(tail):
        return line[len(tail) :]
    return (b"\n" if tail else b"") + (line if behind else b"")


def damaged_pointer(where: Path | str, alias: str, why: str) -> StorageError:
    """The error for a pointer that cannot be read, with the way out as its hint."""
    return StorageError(
        f"{where}, which says what {alias!r} points to, is damaged: {why}",
        hint=f"leafsight models history --alias {alias} tells what it was,"
        f" leafsight models promote ID --alias {alias} writes it anew",
    )
