"""A server to teach, made up: it answers from memory, is away when it is told so, and remembers what came."""

from __future__ import annotations

import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leafsight.client import UploadAccepted
from leafsight.desktop.session import Errands, Reach, Server
from leafsight.errors import RemoteError

PATIENCE_S = 20.0
STEPS = 4
"""A file is sent in so many parts."""


class MadeUpServer(Reach):
    """The way to it, and the client that is given for it."""

    def __init__(self) -> None:
        self._server, self._lock = Server(), threading.Lock()
        self.away = False
        self.breaks_at: list[int] = []
        """Parts at which the line breaks, once each."""
        self.sent: dict[str, list[str]] = {}
        self.labels: dict[str, str | None] = {}
        self.so_far: dict[str, int] = {}
        self.refused: dict[str, Any] | None = None
        self.waiting_looks = 0
        self.held: Callable[[], None] = lambda: None
        """Called at every part."""

    def client(self) -> Any:
        if self.away:
            raise RemoteError("no server answers at http://leaf.example", hint="is it running?")
        return self

    @property
    def learning(self) -> MadeUpServer:
        return self

    def begin_upload(self, path: Path, label: str | None) -> str:
        name = f"up{len(self.labels)}"
        self.labels[name] = label
        self.so_far[name] = 0
        return name

    def send_rest(self, path: Path, name: str, told: Callable[[int, int], None]) -> UploadAccepted:
        size = path.stat().st_size
        while self.so_far[name] < STEPS:
            told(size * self.so_far[name] // STEPS, size)
            self.held()
            if self.away or self.so_far[name] in self.breaks_at:
                self.breaks_at = [one for one in self.breaks_at if one != self.so_far[name]]
                raise RemoteError("the line broke", hint="try again later")
            self.so_far[name] += 1
        told(size, size)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                self.sent[name] = archive.namelist()
        return UploadAccepted(id=name, job=name)

    def upload_state(self, name: str) -> dict[str, Any]:
        self.client()
        if self.waiting_looks:
            self.waiting_looks -= 1
            job = {"state": "running", "progress": {"done": 1, "total": 3}}
            return {"id": name, "state": "waiting", "job": job}
        many = len(self.sent.get(name, ()))
        result = {
            "refused": self.refused, "photographs": many, "usable": many,
            "classes": 1, "class_counts": {}, "faults": {}, "faulty": [], "notes": [],
            "twice": {"photographs": 0, "examples": []}, "contributions": None, "left_out": 0,
        }  # fmt: skip
        return {"id": name, "state": "checked", "job": {"state": "done", "result": result, "error": None}}


def until(errands: Errands, tick: Callable[[], None], true: Callable[[], object]) -> None:
    """Go on until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        tick()
        errands.settle()
        time.sleep(0.002)
