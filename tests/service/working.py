"""A job worker as a process of its own.

Enters: a folder, a model file, arguments. Leaves: a running ``leafsight work`` that ends with its block.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.service import running
from tests.service.running import PATIENCE_S


@dataclass(slots=True)
class RunningWorker:
    """A job worker.

    Attributes:
        process: its first process.
        said: its lines on stderr so far.
    """

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def wait_for(self, words: str) -> None:
        """Until it has said this."""
        until = time.monotonic() + PATIENCE_S
        while not any(words in line for line in self.said):
            assert time.monotonic() < until, "".join(self.said)
            time.sleep(0.02)

    def end(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """SIGKILL to all of its processes, as when a container is killed."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)


def words_for(folder: Path, model: Path | None, *arguments: str) -> list[str]:
    """The command."""
    return [
        sys.executable, "-c", running.ENTRY, "work", "--state-dir", str(folder),
        *(["--model", str(model)] if model else []), *arguments,
    ]  # fmt: skip


@contextlib.contextmanager
def running_worker(folder: Path, model: Path | None, *arguments: str) -> Iterator[RunningWorker]:
    """Start ``leafsight work``; it ends with the block."""
    process = subprocess.Popen(
        words_for(folder, model, *arguments),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    one = RunningWorker(process)

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            one.said.append(line)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield one
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        listener.join(PATIENCE_S)
        if process.stderr is not None:
            process.stderr.close()
