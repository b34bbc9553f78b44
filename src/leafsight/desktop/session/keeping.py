"""What is open, on disk as it happens: after a crash the next window begins where the last one was.

Enters: photographs and plants as they change. Leaves: the same ones, for the next window. A journal of one
JSON line a change, appended by a thread so that a slow disk is not felt; what a person said is synced. A line
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
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Literal

from leafsight.desktop.session.photographs import Photograph
from leafsight.desktop.session.plants import Plant
from leafsight.errors import LeafsightError, StateBusyError
from leafsight.inference import Combined, Prediction
from leafsight.storage import holding, write_text

LOG = logging.getLogger("leafsight.desktop")
FILE_NAME, LOCK_NAME = "open.jsonl", "open.lock"
MOST_BYTES = 512 * 1024**2
"""A journal beyond this is not read: some 150,000 answers."""
END_WITHIN_S = 10.0
Kind = Literal["anew", "came", "said", "gone"]
Kept = Photograph | Plant


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
            self._kept, self._combined = _read(self._path)
        except BaseException:
            self._stack.close()
            raise
        self._lines: queue.SimpleQueue[tuple[Kind, tuple[Kept, ...]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="keeping", daemon=True)
        self._thread.start()

    def kept(self) -> tuple[Photograph, ...]:
        """What the last window left, in the order of coming; their numbers are new ones."""
        return tuple(replace(one, number=number) for number, one in enumerate(self._kept.values()))

    def kept_answers(self) -> dict[int, Combined]:
        """What its plants said, by their numbers."""
        return dict(self._combined)

    def begin(self, kept: Iterable[Kept]) -> None:
        """Forget the last window: these are open now."""
        self._lines.put(("anew", tuple(kept)))

    def keep(self, changed: Iterable[Kept], *, said: bool = False) -> None:
        """Photographs and plants as they are now; ``said`` when a person said something about them."""
        if kept := tuple(changed):
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
            kind, changed = entry
            try:
                text = "".join(_line(one, gone=kind == "gone") for one in changed)
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


def _line(one: Kept, *, gone: bool) -> str:
    return json.dumps(_plain(one, gone=gone), separators=(",", ":")) + "\n"


def _plain(one: Kept, *, gone: bool) -> dict[str, Any]:
    if isinstance(one, Plant):
        return {"plant": one.number, "combined": None if one.combined is None else one.combined.to_dict()}
    plain: dict[str, Any] = {"path": _name(one.path)}
    if gone:
        return {**plain, "gone": True}
    plain["correction"] = one.correction
    if one.plant is not None:
        plain["plant"] = one.plant
    if one.prediction is not None:
        plain["prediction"] = {**one.prediction.to_dict(), "heatmap": None}
    return plain


def _name(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "surrogateescape")


def _read(path: Path) -> tuple[dict[str, Photograph], dict[int, Combined]]:
    """The last state of each photograph by its name, and of each plant by its number."""
    found: dict[str, Photograph] = {}
    combined: dict[int, Combined] = {}
    try:
        if path.stat().st_size > MOST_BYTES:
            LOG.warning("%s is too large and is not read", path)
            return {}, {}
        with path.open("rb") as file:
            for line in file:
                _take(line, found, combined)
    except OSError:
        return found, combined
    return found, combined


def _take(line: bytes, found: dict[str, Photograph], combined: dict[int, Combined]) -> None:
    try:
        plain = json.loads(line)
        if "path" not in plain:
            _take_plant(plain, combined)
            return
        name = str(plain["path"])
        if plain.get("gone"):
            found.pop(name, None)
            return
        prediction = plain.get("prediction")
        correction, plant = plain.get("correction"), plain.get("plant")
        found[name] = Photograph(
            0,
            Path(name),
            None if prediction is None else Prediction.from_dict(prediction),
            correction if isinstance(correction, str) else None,
            plant if _is_number(plant) else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, LeafsightError):
        return  # torn, or of another version


def _take_plant(plain: dict[str, Any], combined: dict[int, Combined]) -> None:
    number, said = plain["plant"], plain["combined"]
    if not _is_number(number):
        return
    combined.pop(number, None)
    if said is not None:
        combined[number] = Combined.from_dict(said)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
