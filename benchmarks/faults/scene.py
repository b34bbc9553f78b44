"""What a fault has at hand while the load runs: the set-up, a clock, notes, and the usual observations.

Enters: a running set-up and the start of the load. Leaves: marks, notes and figures of one fault.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.engine import EngineError
from benchmarks.faults.setup import FullSetUp

from leafsight.loadtest.asking import ask

RESTART_PATIENCE_S, LOOK_S = 20.0, 0.1


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of each part of a fault.

    Attributes:
        before_s: baseline.
        hold_s: how long a disk stays full, a network cut, a flood on.
        after_s: how long the load goes on when everything is back.
    """

    before_s: float = 30.0
    hold_s: float = 30.0
    after_s: float = 40.0


@dataclass
class Scene:
    """One fault on its set-up.

    Attributes:
        setup: what is broken.
        timing: seconds of each part.
        folder: for files of this fault.
        models: hashes of the first and the second model.
        second_image: of the service, for a rolling update.
        key_of_flooder: for a flood.
        begun_s: when the load began, of a clock that never goes back.
        fault_s, back_s: when the fault began and when what was broken was back, after the start of the load.
        notes: what happened.
        figures: what was counted.
    """

    setup: FullSetUp
    timing: Timing
    folder: Path
    models: tuple[str, str] = ("", "")
    second_image: str = ""
    key_of_flooder: str = ""
    begun_s: float = 0.0
    fault_s: float = 0.0
    back_s: float = 0.0
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def now(self) -> float:
        """Seconds after the start of the load."""
        return time.monotonic() - self.begun_s

    def begins(self) -> None:
        """The fault begins now."""
        self.fault_s = self.back_s = self.now()

    def is_back(self) -> None:
        """What was broken was given back now."""
        self.back_s = self.now()

    def hold(self) -> None:
        """Let it be broken for a while."""
        time.sleep(self.timing.hold_s)

    def note(self, text: str) -> None:
        """Write down what happened, with the seconds since the fault."""
        self.notes.append(f"+{self.now() - self.fault_s:.1f} s: {text}")

    def container(self, service: str) -> str:
        """The name of the container of a service; the first of the replicas."""
        return self.setup.replicas[0] if service == "replica" else self.setup.container(service)

    def kill_and_watch(self, service: str) -> None:
        """SIGKILL to a container's first process, past the engine, which sees a crash.

        Who starts it again is noted, and when it is healthy.

        Raises:
            EngineError: it does not run, or does not get healthy again.
        """
        engine, name = self.setup.engine, self.container(service)
        if not (process := engine.process(name)):
            raise EngineError(f"{name} does not run")
        self.begins()
        os.kill(process, signal.SIGKILL)
        self.note(f"the first process of a {service} was killed")
        self.note_restart(name, process)
        engine.wait_until_healthy(name)
        self.note("it is healthy")
        self.figures["healthy_after_s"] = round(self.now() - self.fault_s, 1)

    def note_restart(self, name: str, dead: int) -> None:
        """Wait for the engine's restart policy; where that does nothing, start the container in its place."""
        engine, until = self.setup.engine, time.monotonic() + RESTART_PATIENCE_S
        while time.monotonic() < until:
            if (process := engine.process(name)) and process != dead and Path(f"/proc/{process}").exists():
                self.note("started again by the restart policy")
                self.figures["restarted_by"] = "restart policy"
                return
            time.sleep(LOOK_S)
        engine.say("start", name)
        self.figures["restarted_by"] = "harness"
        self.note("the restart policy did nothing; the harness started it, as docker would have done")

    def post(self, path: str, said: Any = None, *, timeout_s: float = 60.0) -> dict[str, Any]:
        """Ask the admin side; its answer.

        Raises:
            EngineError: it says no.
        """
        body = b"" if said is None else json.dumps(said).encode()
        status, answer = ask(
            self.setup.admin, "POST", path, key=self.setup.key, body=body,
            kind="application/json" if body else "", timeout_s=timeout_s,
        )  # fmt: skip
        if status >= 400:
            raise EngineError(f"POST {path}: {status} {answer[:300]!r}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def get(self, path: str) -> dict[str, Any]:
        """Ask the admin side; its answer.

        Raises:
            EngineError: it says no.
        """
        status, answer = ask(self.setup.admin, "GET", path, key=self.setup.key)
        if status != 200:
            raise EngineError(f"GET {path}: {status} {answer[:300]!r}")
        found: dict[str, Any] = json.loads(answer)
        return found


def fill_folder(folder: Path) -> Path:
    """Write a file into a folder until nothing fits any more; the file."""
    path = folder / ".filler"
    with path.open("wb", buffering=0) as file:
        for size in (2**20, 2**12):
            piece = bytes(size)
            while True:
                try:
                    file.write(piece)
                except OSError:
                    break
    return path


def folder_in(process: int, path: str) -> Path:
    """A folder of a container as this machine sees it."""
    return Path(f"/proc/{process}/root{path}")


@contextmanager
def watching(look: Callable[[], None], every_s: float) -> Iterator[None]:
    """Call something now and then beside the block; what it raises ends the looking, not the block."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(every_s):
            look()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(10)
