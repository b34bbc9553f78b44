"""Starting, watching and stopping a server with all its processes (Linux: ``/proc`` is read).

Enters: a command. Leaves: a running server, when it first answered, its process ids, their memory. It does
not know what the server does.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
POLL_S = 0.005


class Memory(NamedTuple):
    """MiB of one process: PSS counts a shared page by its share, so a sum over processes counts it once.

    ``own_mib`` is the part of it that no file is behind. The rest are pages of libraries and of the model.
    The system takes them back when it needs them, and the shares rise by themselves when another program that
    had the same library open ends, although nobody has asked for memory.
    """

    pid: int
    rss_mib: float
    pss_mib: float | None
    own_mib: float | None
    name: str


class Server:
    """One server and its descendants, in a session of their own.

    Args:
        command: how it is started.
        port: where it will listen, on 127.0.0.1.
        environment: added to ours.
        folder: its working folder; its talk goes to ``talk.log`` there.
    """

    def __init__(self, command: Sequence[str], port: int, environment: dict[str, str], folder: Path) -> None:
        self.port, self.folder = port, folder
        self.log = folder / "talk.log"
        self._talk = self.log.open("ab")
        self.started_s = time.perf_counter()
        self._process = subprocess.Popen(
            list(command),
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._talk,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._process.pid

    def wait_until_answers(self, path: str, request: bytes, limit_s: float = 90.0) -> float:
        """Ask again and again until a 2xx comes; seconds from the start of the process to its last byte.

        Raises:
            RuntimeError: it ended, or gave no answer in time; the message has the end of its talk.
        """
        while time.perf_counter() - self.started_s < limit_s:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended with {self._process.returncode}: {self.said()}")
            status, _ = exchange(self.port, request, timeout_s=30.0)
            if status is not None and 200 <= status < 300:
                return time.perf_counter() - self.started_s
            time.sleep(POLL_S)
        raise RuntimeError(f"no answer from {path} within {limit_s:.0f} s: {self.said()}")

    def signal(self, number: int) -> None:
        """Send a signal to the first process, the supervisor."""
        self._process.send_signal(number)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def said(self, most: int = 1500) -> str:
        """The end of what it wrote."""
        return self.log.read_bytes()[-most:].decode(errors="replace")

    def pids(self) -> list[int]:
        """The first process, all descendants, and everything in its session."""
        parents, sessions = {}, {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (stat := _stat(int(entry.name))):
                parents[int(entry.name)], sessions[int(entry.name)] = int(stat[1]), int(stat[3])
        found, grown = {self.pid}, True
        found |= {pid for pid, session in sessions.items() if session == self.pid}
        while grown:
            more = {pid for pid, parent in parents.items() if parent in found} - found
            found, grown = found | more, bool(more)
        return sorted(pid for pid in found if pid in parents)

    def workers(self) -> set[int]:
        """The processes that have ONNX Runtime loaded, without the supervisor."""
        found = set()
        for pid in self.pids():
            with contextlib.suppress(OSError):
                if pid != self.pid and "onnxruntime" in Path(f"/proc/{pid}/maps").read_text():
                    found.add(pid)
        return found

    def memory(self) -> list[Memory]:
        """Of every process that is still there."""
        return [one for pid in self.pids() if (one := memory_of(pid)) is not None]

    def total_mib(self) -> float:
        """PSS of all processes together, or RSS where PSS cannot be read."""
        return sum(one.rss_mib if one.pss_mib is None else one.pss_mib for one in self.memory())

    def own_mib(self) -> float:
        """What all processes together hold that no file is behind, or the total where that cannot be read."""
        found = self.memory()
        owned = [one.own_mib for one in found if one.own_mib is not None]
        return sum(owned) if len(owned) == len(found) else self.total_mib()

    def cpu_s(self) -> float:
        """Processor seconds of the processes that are still there."""
        stats = [_stat(pid) for pid in self.pids()]
        return sum((int(stat[11]) + int(stat[12])) / TICKS_PER_S for stat in stats if stat)

    def stop(self, limit_s: float = 20.0) -> float:
        """Ask it to end, then insist; seconds until the last process was gone."""
        began, pids = time.perf_counter(), self.pids()
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(limit_s)
        while (left := [pid for pid in pids if _stat(pid)]) and time.perf_counter() - began < limit_s:
            time.sleep(0.02)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(10)
        while any(_stat(pid) for pid in left):  # killed is not yet gone
            time.sleep(0.001)
        self._talk.close()
        return time.perf_counter() - began


class MemoryWatch:
    """Samples what a server holds for itself, in the background: ``points`` are (seconds, MiB)."""

    def __init__(self, server: Server, every_s: float = 1.0) -> None:
        self.points: list[tuple[float, float]] = []
        self._server, self._every_s, self._over = server, every_s, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        began = time.perf_counter()
        while True:
            self.points.append((time.perf_counter() - began, self._server.own_mib()))
            if self._over.wait(self._every_s):
                return


def memory_of(pid: int) -> Memory | None:
    """Memory of one process; None when it is gone."""
    try:
        rss_mib = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_MIB
        name = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (OSError, IndexError):
        return None
    parts: dict[str, float] = {}
    with contextlib.suppress(OSError):
        lines = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
        parts = {line[0]: int(line[1]) / 1024 for line in lines if line[-1] == "kB"}
    own = ("Pss_Anon:", "Pss_Shmem:")
    own_mib = round(sum(parts[one] for one in own), 1) if all(one in parts for one in own) else None
    pss_mib = round(parts["Pss:"], 1) if "Pss:" in parts else None
    return Memory(pid, round(rss_mib, 1), pss_mib, own_mib, name[:120])


def exchange(port: int, request: bytes, timeout_s: float = 30.0) -> tuple[int | None, bytes]:
    """One request on a connection of its own: status and body, or (None, what went wrong)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
            connection.sendall(request)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return None, repr(error).encode()


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _stat(pid: int) -> list[Any] | None:
    """State, parent, group, session and so on of a process that has not ended (no zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields if fields[0] not in "ZX" else None
