"""A bucket in memory that does as the real one does, and can be told to fail at any request."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from leafsight.errors import StateBusyError


class MemoryObjects:
    """See ``leafsight.registry.Objects``.

    Args:
        address: of the bucket.

    Attributes:
        kept: name -> bytes and tag.
        asked: verb and name of every request.
        before: called with verb and name before a request is answered; may raise.
        after: the same after it was carried out and before the answer arrives.
    """

    def __init__(self, address: str = "s3://memory/models") -> None:
        self.address = address
        self.kept: dict[str, tuple[bytes, str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda verb, name: None
        self.after: Callable[[str, str], None] = lambda verb, name: None
        self._tags = itertools.count(1)
        self._lock = threading.Lock()

    def look(self, name: str) -> tuple[str, int] | None:
        self._ask("look", name)
        found = self.kept.get(name)
        return (found[1], len(found[0])) if found else None

    def get(self, name: str, *, max_bytes: int) -> tuple[bytes, str] | None:
        self._ask("get", name)
        found = self.kept.get(name)
        assert found is None or len(found[0]) <= max_bytes
        return found

    def put(self, name: str, data: bytes) -> None:
        self._ask("put", name)
        self._put(name, data)
        self.after("put", name)

    def put_if(self, name: str, data: bytes, tag: str | None) -> str | None:
        self._ask("put_if", name)
        with self._lock:
            there = self.kept.get(name)
            if (there[1] if there else None) != tag:
                return None
            made = self._put(name, data)
        self.after("put_if", name)
        return made

    def send(self, name: str, path: Path) -> str:
        self._ask("send", name)
        made = self._put(name, path.read_bytes())
        self.after("send", name)
        return made

    def fetch(self, name: str, file: IO[bytes], *, max_bytes: int) -> str | None:
        self._ask("fetch", name)
        found = self.kept.get(name)
        if found is None:
            return None
        file.write(found[0])
        return found[1]

    def delete(self, name: str) -> None:
        self._ask("delete", name)
        self.kept.pop(name, None)
        self.after("delete", name)

    def list(self, folder: str) -> Iterator[tuple[str, str, int]]:
        self._ask("list", folder)
        for name, (data, tag) in [*self.kept.items()]:
            if name.startswith(f"{folder}/"):
                yield name, tag, len(data)

    def gone(self) -> None:
        """From now on nothing answers."""

        def refuse(verb: str, name: str) -> None:
            raise StateBusyError("the bucket 'memory' does not answer", hint="try again in a moment")

        self.before = refuse

    def back(self) -> None:
        """It answers again."""
        self.before = self.after = lambda verb, name: None

    def _put(self, name: str, data: bytes) -> str:
        tag = f'"{next(self._tags)}"'
        self.kept[name] = (bytes(data), tag)
        return tag

    def _ask(self, verb: str, name: str) -> None:
        self.asked.append((verb, name))
        self.before(verb, name)
