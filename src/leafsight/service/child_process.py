"""Runs a program beside the clerk, hears how far it is, and ends it when nobody wants it any more.

Enters: words, a file for what it prints. Leaves: its exit status, what it printed, and its last lines on
stderr. It does not know what the program does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

BEAT_S = 1.0
LOOK_S = 0.05
MOST_LINES, MOST_LINE_BYTES = 40, 4096
NOTHING_MORE: Mapping[str, str] = MappingProxyType({})
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        status: exit status; negative for a signal.
        printed: the file with its standard output.
        lines: its last lines on stderr.
    """

    status: int
    printed: Path
    lines: tuple[str, ...]


def run_child(
    module: str,
    words: Sequence[str],
    printed: Path,
    *,
    told: Callable[[str], None],
    wanted: Callable[[], bool],
    timeout_s: float,
    environment: Mapping[str, str] = NOTHING_MORE,
) -> Ended | None:
    """Run ``python -m module words`` until it ends or is not wanted any more.

    Args:
        module: to run; it calls ``minded.mind``, so that it ends with this process.
        words: of the command.
        printed: the file for its standard output.
        told: each line on stderr.
        wanted: asked every second.
        timeout_s: after so long it is ended.
        environment: added to ours. What is secret goes here: everybody on the machine may read words.

    Returns:
        How it ended; None when it was ended because it was not wanted.
    """
    with printed.open("wb") as out:
        child = subprocess.Popen(  # noqa: S603 (our own modules; nothing that was sent is a word of it)
            [sys.executable, "-m", module, *words],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD, "PYTHONUNBUFFERED": "1", **environment},
            # A group to end it by, not a session: where the system shares cores out by session first (Linux
            # does), priorities would count for nothing between it and the workers.
            process_group=0,
        )
    lines: deque[str] = deque(maxlen=MOST_LINES)
    assert child.stderr is not None
    hearing = threading.Thread(target=_hear, args=(child.stderr, lines, told), daemon=True)
    hearing.start()
    try:
        ended = _wait(child, wanted, timeout_s)
    finally:
        _end(child)
        hearing.join(10)
        for pipe in (child.stdin, child.stderr):
            if pipe is not None:
                pipe.close()
    return Ended(child.returncode, printed, tuple(lines)) if ended else None


def _wait(child: subprocess.Popen[bytes], wanted: Callable[[], bool], timeout_s: float) -> bool:
    """Until it ends (true), or is not wanted any more (false)."""
    until = time.monotonic() + timeout_s
    beat = 0.0
    while child.poll() is None:
        now = time.monotonic()
        if now > until:
            return True
        if now > beat:
            beat = now + BEAT_S
            if not wanted():
                return False
        time.sleep(LOOK_S)
    return True


def _end(child: subprocess.Popen[bytes]) -> None:
    """With all that it started; what it was reading goes on from there next time."""
    if child.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()


def _hear(stderr: BinaryIO, lines: deque[str], told: Callable[[str], None]) -> None:
    while part := stderr.readline(MOST_LINE_BYTES):
        line = part.decode("utf-8", "replace").rstrip()
        if line:
            lines.append(line)
            told(line)
