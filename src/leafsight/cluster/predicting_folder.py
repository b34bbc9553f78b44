"""The folder of the answers: what was asked, what there is to do, and one file for each chunk that is done.

Enters: what is asked, and finished files as bytes. Leaves: chunks that are not done yet, and counts. A file
is whole or not there, and its being there is all that says that a chunk is done; so whenever the command
ends, the next one goes on. What begins with ``_`` is passed over by those who read Parquet from a folder.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leafsight.cluster.predicting_chunks import Chunk
from leafsight.dataset import answer_counts
from leafsight.errors import ConflictError, StorageError, UsageError
from leafsight.storage import holding, os_errors_translated, read_json, replacing, write_bytes, write_json

FORMAT_VERSION = 1
ABOUT, MANIFEST, PLAN, LOCK = "_leafsight", "manifest.json", "plan.jsonl", "lock"
PART = "answers-"
LEFT_BEHIND = f".{PART}*.part"
_SHOWN = 200


class AnswersFolder:
    """See the module; made by ``open_answers``.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._about = path / ABOUT

    @property
    def is_begun(self) -> bool:
        """Whether it was decided already what there is to do."""
        return (self._about / MANIFEST).exists()

    @property
    def has_answers(self) -> bool:
        """Whether any chunk is done."""
        return any(self.path.glob(f"{PART}*.parquet"))

    def is_about(self, asked: Mapping[str, Any]) -> bool:
        """Whether this was asked."""
        return bool(self.manifest()["asked"] == dict(asked))

    def begin(self, asked: Mapping[str, Any], chunks: Iterable[Chunk]) -> None:
        """Decide what there is to do. The manifest comes last: a list without one is made anew.

        Args:
            asked: plain values that make the answers what they are.
            chunks: all of them.
        """
        total = photographs = shards = 0
        with replacing(self._about / PLAN, "w") as file:
            for chunk in chunks:
                total += 1
                file.write(chunk.to_line() + "\n")
                shards += chunk.is_shard
                photographs += 0 if chunk.is_shard else len(chunk.names)
        totals = {"chunks": total, "photographs": photographs, "shards": shards}
        write_json(
            self._about / MANIFEST,
            {"format": FORMAT_VERSION, "listed": time.time(), "asked": dict(asked), **totals},
        )

    def manifest(self) -> dict[str, Any]:
        """What was ``asked``, when it was ``listed``, how many ``chunks``, ``photographs`` and ``shards``.

        Raises:
            StorageError: it cannot be read, or was written by a newer leafsight.
        """
        found = read_json(self._about / MANIFEST)
        if not isinstance(found, dict) or found.get("format") != FORMAT_VERSION:
            raise StorageError(f"{self.path} was written by another leafsight", hint="choose another folder")
        return found

    def require_same(self, asked: Mapping[str, Any]) -> None:
        """Answers of two kinds never come together.

        Raises:
            ConflictError: naming all that differs.
        """
        before = self.manifest()["asked"]
        differing = [
            f"{name} is {_short(asked.get(name))}, was {_short(before.get(name))}"
            for name in sorted({*asked, *before})
            if asked.get(name) != before.get(name)
        ]
        if differing:
            raise ConflictError(
                f"{self.path} holds answers to something else: {'; '.join(differing)}",
                hint="choose another folder, or ask as before",
            )

    def chunks(self) -> Iterator[tuple[int, Chunk]]:
        """Every chunk with its number, as it was decided; never all of them at once."""
        path = self._about / PLAN
        with os_errors_translated(path), path.open(encoding="utf-8") as file:
            for number, line in enumerate(file):
                yield number, Chunk.from_line(line)

    def put(self, number: int, data: bytes) -> None:
        """Keep the answers of a chunk; it is done then.

        Raises:
            DiskFullError, PermissionDeniedError, StorageError: see ``os_errors_translated``.
        """
        write_bytes(self._file(number), data)

    def counts(self, number: int) -> Counter[str] | None:
        """Rows of each verdict of a chunk; None where it is not done, or its file is damaged."""
        return answer_counts(self._file(number)) if self._file(number).exists() else None

    def _file(self, number: int) -> Path:
        return self.path / f"{PART}{number:06d}.parquet"


@contextmanager
def open_answers(path: Path) -> Iterator[AnswersFolder]:
    """The folder, for this process alone as long as the block lasts; made where there is none.

    Raises:
        UsageError: something else is in it.
        ConflictError: another command writes there.
        PermissionDeniedError, StorageError: see ``os_errors_translated``.
    """
    folder = AnswersFolder(path.resolve())
    about = folder.path / ABOUT
    with os_errors_translated(folder.path):
        others = [name for name in os.listdir(path) if name != ABOUT] if path.exists() else []  # noqa: PTH208
        if others and not folder.is_begun:
            raise UsageError(f"{path} holds something else already", hint="name a new folder for the answers")
        about.mkdir(parents=True, exist_ok=True)
        handle = os.open(about / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        busy = ConflictError(f"another command writes into {path}", hint="wait for it, or end it")
        with holding(handle, busy):
            for stray in folder.path.glob(LEFT_BEHIND):
                stray.unlink(missing_ok=True)
            yield folder
    finally:
        os.close(handle)


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
