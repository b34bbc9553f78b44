"""Which server answers, teaches and keeps models: this computer, or one with an address and perhaps a key.

Enters: what a person typed. Leaves: a record, kept between two windows; the key in a file that only this
person may read. It asks no server anything.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from leafsight.storage import os_errors_translated

FILE_NAME = "server.json"
MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask.

    Attributes:
        address: such as ``https://leaf.example``; empty is this computer.
        key: what its operator gave; empty where it wants none. Never shown.
    """

    address: str = ""
    key: str = ""

    @property
    def is_here(self) -> bool:
        """Whether it is this computer."""
        return not self.address

    def __repr__(self) -> str:
        return f"Server({self.address!r}, key {'given' if self.key else 'none'})"


def load_server(folder: Path) -> Server:
    """That of the last window; this computer where nothing usable is kept."""
    path = folder / FILE_NAME
    try:
        if path.stat().st_size > MOST_BYTES:
            return Server()
        found = json.loads(path.read_text(encoding="utf-8"))
        address, key = found["address"], found["key"]
    except (OSError, ValueError, TypeError, KeyError):
        return Server()
    return Server(address, key) if isinstance(address, str) and isinstance(key, str) else Server()


def save_server(server: Server, folder: Path) -> None:
    """Keep it, whole or not at all; nobody else on this computer can read the file.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
    """
    path = folder / FILE_NAME
    with os_errors_translated(path):
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".server.", suffix=".part", dir=folder)  # 0600 from the start
        part = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"address": server.address, "key": server.key}, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
