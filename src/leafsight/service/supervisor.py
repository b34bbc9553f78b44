"""Keeps the processes of the service running: one socket, as many workers as cores, none of them missed.

SIGTERM or SIGINT ends the service after what was begun is answered. SIGHUP replaces the workers one by one:
the new one is ready before the old one is told to end, so no request fails. A worker that dies is replaced.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from leafsight.errors import LeafsightError, UsageError
from leafsight.service.accepting import ABSENT, Shares
from leafsight.service.clerk_keeper import ClerkKeeper
from leafsight.service.handing_over import CAN_HAND_OVER, Doors, HandingOver, rescue
from leafsight.service.logs import careful
from leafsight.service.options import ServiceOptions
from leafsight.service.tracing import check_tracing

BACKLOG = 2048
READY_WITHIN_S = 60
END_WITHIN_S = 45
LOOK_S = 0.1
QUICK_DEATH_S = 5.0
MOST_QUICK_DEATHS = 3


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: Connection
    started: float
    place: int


def serve(options: ServiceOptions, *, say: Callable[[str], None] = lambda line: None) -> int:
    """Run the service until a signal ends it.

    Args:
        options: as the operator chose.
        say: told in one line each what happens.

    Returns:
        0 after an orderly end, 1 when workers could not be kept running.

    Raises:
        UsageError: the address is not on this computer, is taken, or may not be used.
        ConfigError, MissingExtraError: traces that were asked for cannot be made.
    """
    check_tracing()
    listening = listen(options.host, options.port)
    admin = listen(options.admin_host, options.admin_port, "--admin-port") if options.admin_port else None
    folder = Path(tempfile.mkdtemp(prefix="leafsight-metrics-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    try:
        return Supervisor(options, listening, say, admin).run()
    finally:
        for one in filter(None, (listening, admin)):
            one.close()
        shutil.rmtree(folder, ignore_errors=True)


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """A listening socket.

    Raises:
        UsageError: it cannot be had.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(BACKLOG)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host} port {port}: {error.strerror}",
            hint=f"choose another with {option}" + (", or 0 for a free one" if option == "--port" else ""),
        ) from error
    made.set_inheritable(True)
    return made


class Supervisor:
    """The parent of the workers; holds no model and answers nothing itself."""

    def __init__(
        self,
        options: ServiceOptions,
        listening: socket.socket,
        say: Callable[[str], None],
        admin: socket.socket | None = None,
    ) -> None:
        self._options, self._listening, self._admin, self._say = options, listening, admin, careful(say)
        # A fork shares what is loaded already and starts in milliseconds; the parent has no other threads.
        self._context: Any = get_context("fork" if sys.platform == "linux" else "spawn")
        self._workers: list[_Worker] = []
        # One more than there are workers: while one is replaced, the old and the new one are both there.
        self._places = list(range(options.workers + 1))
        self._counts, self._waiting = (
            self._context.RawArray("i", [ABSENT] * len(self._places)) for _ in range(2)
        )
        self._doors = Doors(len(self._places)) if options.workers > 1 and CAN_HAND_OVER else None
        self._end = self._replace = False
        self._quick_deaths = 0
        sockets = [*filter(None, (listening, admin)), *(self._doors.sockets if self._doors else ())]
        self._clerk = ClerkKeeper(options, tuple(sockets), self._context, self._say)

    def run(self) -> int:
        """Start the workers and look after them."""
        for name in ("SIGTERM", "SIGINT"):
            signal.signal(getattr(signal, name), self._on_end)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self._on_replace)
        import leafsight.service.worker  # noqa: F401 (loaded here, so that every fork has it already)

        # What is loaded stays. Looking through it for garbage would write into each of its pages, and so give
        # every process a copy of its own: 45 MiB in three.
        gc.collect()
        gc.freeze()
        self._workers = [self._start() for _ in range(self._options.workers)]
        if all(self._is_ready(worker) for worker in self._workers):
            if self._admin is not None:
                host, port = self._admin.getsockname()[:2]
                self._say(f"the admin side is on http://{host}:{port}")
            host, port = self._listening.getsockname()[:2]
            # Last of what is said at the start: whoever waits for it has read everything.
            self._say(f"ready on http://{host}:{port} with {len(self._workers)} processes")
        while not self._end and not self._is_alone():
            time.sleep(LOOK_S)
            if self._replace:
                self._replace = False
                self._replace_all()
            if not self._keep_alive():
                self._stop_all()
                return 1
            for worker in self._workers:
                self._clerk.hear(worker.pipe)
            self._clerk.look()
        self._say("ending: what was begun is answered")
        self._stop_all()
        return 0

    def _is_alone(self) -> bool:
        """Whether the process that this one shall end with is gone: then somebody else is the parent."""
        return self._options.end_with is not None and os.getppid() != self._options.end_with

    def _on_end(self, *_: object) -> None:
        self._end = True

    def _on_replace(self, *_: object) -> None:
        self._replace = True

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        place = self._places.pop()
        process = self._context.Process(
            target=_work,
            args=(
                self._options,
                self._listening,
                theirs,
                ours,
                Shares(self._counts, place),
                self._admin,
                self._handing(place),
            ),
            name="leafsight-worker",
        )
        process.start()
        theirs.close()
        return _Worker(process, ours, time.monotonic(), place)

    def _handing(self, place: int) -> HandingOver | None:
        if self._doors is None:
            return None
        return HandingOver(self._doors, Shares(self._waiting, place), place)

    def _is_ready(self, worker: _Worker) -> bool:
        """Wait until a worker says so; not if it dies or the service ends."""
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until and worker.process.is_alive() and not self._end:
            if worker.pipe.poll(LOOK_S):
                try:
                    worker.pipe.recv()
                except EOFError:
                    return False
                return True
        return False

    def _replace_all(self) -> None:
        self._say("replacing the processes")
        for place, old in enumerate(list(self._workers)):
            new = self._start()
            if not self._is_ready(new):
                self._say("a new process did not become ready; the old ones stay")
                self._stop(new)
                return
            self._workers[place] = new
            self._stop(old)
        self._say("all processes are replaced")

    def _keep_alive(self) -> bool:
        """Start a worker for each that died; give up when new ones die at once, again and again."""
        for place, worker in enumerate(self._workers):
            if worker.process.is_alive():
                continue
            if time.monotonic() - worker.started < QUICK_DEATH_S:
                self._quick_deaths += 1
            else:
                self._quick_deaths = 0
            self._say(f"a process ended with {worker.process.exitcode}")
            self._forget(worker)
            if self._quick_deaths >= MOST_QUICK_DEATHS * len(self._workers):
                self._say("processes end as soon as they start; giving up")
                return False
            self._workers[place] = self._start()
        return True

    def _stop_all(self) -> None:
        # From here on the doors are the workers': the last of them closes them.
        for one in filter(None, (self._listening, self._admin)):
            one.close()
        for worker in self._workers:
            worker.process.terminate()
        self._clerk.stop()
        for worker in self._workers:
            self._stop(worker)
        if self._doors is not None:
            self._doors.close()

    def _stop(self, worker: _Worker) -> None:
        worker.process.terminate()
        worker.process.join(END_WITHIN_S)
        if worker.process.is_alive():
            self._say("a process did not end in time and was killed")
            worker.process.kill()
            worker.process.join()
        self._forget(worker)

    def _forget(self, worker: _Worker) -> None:
        from leafsight.service.metrics import forget_process

        worker.pipe.close()
        try:
            forget_process(worker.process.pid)
        except LeafsightError as error:  # they count all the same, and the next end tries again
            self._say(f"the counts of an ended process stay in files of their own: {error.message}")
        Shares(self._counts, worker.place).leave()
        if self._doors is not None:
            lines = Shares(self._waiting, worker.place)
            lines.leave()
            rescue(self._doors, lines, worker.place)
        self._places.append(worker.place)


def _work(
    options: ServiceOptions,
    listening: socket.socket,
    parent: Connection,
    others: Connection,
    shares: Shares,
    admin: socket.socket | None,
    handing: HandingOver | None,
) -> None:
    """In the worker: forget the supervisor's end of the pipe and its signal handlers, then serve."""
    from leafsight.service.worker import run_worker

    others.close()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL if name != "SIGHUP" else signal.SIG_IGN)
    run_worker(options, listening, parent, shares, admin, handing)
