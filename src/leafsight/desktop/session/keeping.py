"""What is open, on disk as it happens: after a crash the next window begins where the last one was.

Enters: photographs as they change. Leaves: the same photographs, for the next window. A journal of one JSON
line a change, appended by a thread so that a slow disk is not felt; what a person said is synced. A line
that was torn by the crash is left out. One window at a time keeps: a second one goes on without.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Literal

from leafsight.desktop.session.photographs import Photograph
from leafsight.errors import LeafsightError, StateBusyError
from leafsight.inference import Prediction
from leafsight.storage import holding, write_text

LOG = logging.getLogger("leafsight.desktop")
FILE_NAME, LOCK_NAME = "open.jsonl", "open.lock"
MOST_BYTES = 512 * 1024**2
"""A journal beyond this is not read: some 150,000 answers."""
END_WITHIN_S = 10.0
Kind = Literal["anew", "came", "said", "gone"]


class Keeper:
    """The journal of one window; used from one thread.

    Args:
        folder: made when it is not there.

    Raises:
        StateBusyError: another window keeps its photographs there.
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / FILE_NAME
        self._stack = ExitStack()
        lock = self._stack.enter_context((folder / LOCK_NAME).open("ab"))
        busy = StateBusyError("another window is open", hint="close it first, or use it")
        try:
            self._stack.enter_context(holding(lock.fileno(), busy))
            self._kept = _read(self._path)
        except BaseException:
            self._stack.close()
            raise
        self._lines: queue.SimpleQueue[tuple[Kind, tuple[Photograph, ...]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="keeping", daemon=True)
        self._thread.start()

    def kept(self) -> tuple[Photograph, ...]:
        """What the last window left, in the order of coming; their numbers are new ones."""
        return tuple(
            Photograph(number, one.path, one.prediction, one.correction)
            for number, one in enumerate(self._kept.values())
        )

    def begin(self, photographs: Iterable[Photograph]) -> None:
        """Forget the last window: these are open now."""
        self._lines.put(("anew", tuple(photographs)))

    def keep(self, photographs: Iterable[Photograph], *, said: bool = False) -> None:
        """Photographs as they are now; ``said`` when a person said something about them."""
        if kept := tuple(photographs):
            self._lines.put(("said" if said else "came", kept))

    def drop(self, photographs: Iterable[Photograph]) -> None:
        """These were taken away."""
        if gone := tuple(photographs):
            self._lines.put(("gone", gone))

    def close(self) -> None:
        """Write what is left; the next window may keep."""
        self._lines.put(None)
        self._thread.join(END_WITHIN_S)
        self._stack.close()

    def _write(self) -> None:
        file: IO[bytes] | None = None
        while (entry := self._lines.get()) is not None:
            kind, photographs = entry
            try:
                text = "".join(_gone(one) if kind == "gone" else _line(one) for one in photographs)
                if kind == "anew":  # another file takes its place: the open one is no longer the journal
                    if file is not None:
                        file.close()
                        file = None
                    write_text(self._path, text)
                    continue
                if file is None:
                    file = self._path.open("ab")
                file.write(text.encode())
                file.flush()
                if kind in ("said", "gone"):
                    os.fsync(file.fileno())
            except (OSError, LeafsightError) as error:
                # The window goes on: what it shows is worth more than its journal.
                LOG.warning("what is open cannot be kept: %s", error)
        if file is not None:
            file.close()


def _line(photograph: Photograph) -> str:
    plain: dict[str, Any] = {"path": _name(photograph.path), "correction": photograph.correction}
    if photograph.prediction is not None:
        plain["prediction"] = {**photograph.prediction.to_dict(), "heatmap": None}
    return json.dumps(plain, separators=(",", ":")) + "\n"


def _gone(photograph: Photograph) -> str:
    return json.dumps({"path": _name(photograph.path), "gone": True}) + "\n"


def _name(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "surrogateescape")


def _read(path: Path) -> dict[str, Photograph]:
    """The last state of each photograph, by its name."""
    found: dict[str, Photograph] = {}
    try:
        if path.stat().st_size > MOST_BYTES:
            LOG.warning("%s is too large and is not read", path)
            return {}
        with path.open("rb") as file:
            for line in file:
                _take(line, found)
    except OSError:
        return found
    return found


def _take(line: bytes, found: dict[str, Photograph]) -> None:
    try:
        plain = json.loads(line)
        name = str(plain["path"])
        if plain.get("gone"):
            found.pop(name, None)
            return
        prediction = plain.get("prediction")
        correction = plain.get("correction")
        found[name] = Photograph(
            0,
            Path(name),
            None if prediction is None else Prediction.from_dict(prediction),
            correction if isinstance(correction, str) else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, LeafsightError):
        return  # torn, or of another version
