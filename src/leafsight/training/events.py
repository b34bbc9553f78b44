"""The diary of a run: one JSON record a line, and whoever else wants to hear.

Enters: records of plain values. Leaves: ``events.jsonl``. After a resume the lines written since the last
checkpoint are cut off first, so that no step stands there twice.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from leafsight.storage import canonical_json, os_errors_translated

Event = dict[str, Any]
Listener = Callable[[Event], None]


class EventLog:
    """Appends records to a file and hands each to the listeners.

    Args:
        path: of the JSON lines; the folder is made.
        keep_bytes: length of the part that counts; what lies behind it is cut off.
        listeners: called with every record, in order.
    """

    def __init__(self, path: Path, *, keep_bytes: int = 0, listeners: Sequence[Listener] = ()) -> None:
        self._path = path
        self._listeners = tuple(listeners)
        with os_errors_translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = path.open("ab")
            if path.stat().st_size > keep_bytes:
                self._file.truncate(keep_bytes)

    def write(self, kind: str, **values: Any) -> None:
        """Write one record with its ``kind``; NaN and infinities become null, which JSON can say."""
        event = {"kind": kind} | {name: _plain(value) for name, value in values.items()}
        with os_errors_translated(self._path):
            self._file.write(f"{canonical_json(event)}\n".encode())
            self._file.flush()
        for listener in self._listeners:
            listener(event)

    def sync(self) -> int:
        """Bring everything to the disk; returns the length in bytes, to be kept with a checkpoint."""
        with os_errors_translated(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class NoEvents(EventLog):
    """The diary of a process that keeps none: of a team, the leader writes."""

    def __init__(self) -> None:
        pass

    def write(self, kind: str, **values: Any) -> None:
        """Nothing."""

    def sync(self) -> int:
        """Nothing; no bytes."""
        return 0

    def close(self) -> None:
        """Nothing."""


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def read_events(path: Path, kind: str | None = None) -> list[Event]:
    """The records of a diary, of one kind or all; a half-written last line is left out."""
    with os_errors_translated(path):
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    events: list[Event] = [json.loads(line) for line in lines[:-1] if line]
    return [event for event in events if kind is None or event["kind"] == kind]
