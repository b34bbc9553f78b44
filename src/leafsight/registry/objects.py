"""What the registry wants of a bucket: a few verbs that any object store has.

Enters: nothing; who opens a registry hands such an object in. Leaves: a protocol. It does not know which
store it is, nor how it is reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol


class Objects(Protocol):
    """Named bytes in a bucket. Every method may be called from several threads at once.

    A *tag* is a text that the store gives to what lies under a name: another one after every change. All
    methods raise ``StateBusyError`` when the store does not answer, and ``StateError`` when it is set up
    wrongly.

    Attributes:
        address: the same text for the same bucket and prefix, without secrets.
    """

    address: str

    def look(self, name: str) -> tuple[str, int] | None:
        """Tag and length in bytes of what lies under ``name``; None when nothing does."""

    def get(self, name: str, *, max_bytes: int) -> tuple[bytes, str] | None:
        """The bytes and their tag; None when there are none, ``StateError`` over the limit."""

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data`` under ``name``, whole or not at all, in place of what was there."""

    def put_if(self, name: str, data: bytes, tag: str | None) -> str | None:
        """The same, if what lies there still has this tag (None: if nothing lies there).

        Returns:
            The new tag; None when something else lies there, which then stays.
        """

    def send(self, name: str, path: Path) -> str:
        """Put a file, in parts when it is long; they become visible together. Its new tag."""

    def fetch(self, name: str, file: IO[bytes], *, max_bytes: int) -> str | None:
        """Write what lies under ``name`` into an open file; its tag, or None when nothing lies there.

        What is replaced meanwhile raises ``StateBusyError``.
        """

    def delete(self, name: str) -> None:
        """Forget ``name``; no error when nothing is there."""

    def list(self, folder: str) -> Iterator[tuple[str, str, int]]:
        """Name, tag and length of everything in a folder and below it, in no promised order."""
