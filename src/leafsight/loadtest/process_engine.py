"""Set-ups as plain ``leafsight serve`` processes without limits: for machines without a container engine."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from leafsight.errors import RemoteError, UsageError
from leafsight.loadtest.asking import Address, wait_until_ready
from leafsight.loadtest.engines import SERVICE, Part, Running
from leafsight.loadtest.parts import read_processes
from leafsight.loadtest.setups import BUILT_IN, SetUp

ENTRY = "from leafsight.cli import main; main()"
READY = re.compile(r"ready on http://[^ ]*:(\d+)")
READY_LIMIT_S, END_LIMIT_S, POLL_S = 60.0, 20.0, 0.05


class ProcessEngine:
    """Starts servers as processes of this Python, all on one SQLite database.

    Args:
        environment: added to the environment of each server.
        workers: processes of each server.
    """

    def __init__(self, environment: dict[str, str] | None = None, *, workers: int = 1) -> None:
        self._environment = environment or {}
        self._workers = workers

    def facts(self) -> dict[str, Any]:
        """What runs them."""
        return {
            "engine": "plain processes, no limits",
            "version": f"Python {platform.python_version()}",
            "images": {},
            "database": "SQLite, one file for all replicas",
        }

    def clean(self) -> int:
        """Processes end with whoever started them (``--end-with``): nothing is left."""
        return 0

    @contextlib.contextmanager
    def running(self, setup: SetUp, folder: Path) -> Iterator[Running]:
        """See ``Engine``.

        Raises:
            UsageError: a proxy is asked for.
            RemoteError: a server does not start.
        """
        if setup.proxy:
            raise UsageError(
                "plain processes have no proxy in front", hint="leave it with --proxy no, or use podman"
            )
        folder.mkdir(parents=True, exist_ok=True)
        environment = os.environ | self._environment
        environment |= {"LEAFSIGHT_STATE_DIR": str(folder / "state"), "LEAFSIGHT_WORKERS": str(self._workers)}
        environment.pop("LEAFSIGHT_DATABASE_URL", None)
        if setup.model != BUILT_IN:
            environment["LEAFSIGHT_MODEL"] = str(Path(setup.model).absolute())
        key = _made_key(environment)
        begun_s = time.monotonic()
        servers: list[subprocess.Popen[bytes]] = []
        try:
            for number in range(setup.replicas):  # each is known at once, so each is ended, whatever happens
                servers += [_started(environment, folder / f"replica-{number + 1}.log")]
            replicas = tuple(
                _address(one, folder / f"replica-{number + 1}.log") for number, one in enumerate(servers)
            )
            for address, one in zip(replicas, servers, strict=True):
                wait_until_ready(address, READY_LIMIT_S, lambda one=one: one.poll() is None)  # type: ignore[misc]
            yield Running(
                replicas, replicas, key, tuple(_part(n, one) for n, one in enumerate(servers)),
                time.monotonic() - begun_s,
            )  # fmt: skip
        finally:
            for one in servers:
                _end(one)


def _made_key(environment: dict[str, str]) -> str:
    """A key for all that the study asks.

    Raises:
        RemoteError: it cannot be made.
    """
    words = ["keys", "make", "loadtest", "--quiet"]
    words += ["--scope", "predict", "--scope", "upload", "--scope", "admin"]
    done = subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "-c", ENTRY, *words], env=environment, capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        raise RemoteError(
            f"no key could be made: {done.stderr.strip()[:500]}", hint="is the folder writable?"
        )
    return done.stdout.strip()


def _started(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    words = ["serve", "--host", "127.0.0.1", "--port", "0", "--end-with", str(os.getpid())]
    with log.open("wb") as talk:
        return subprocess.Popen(  # noqa: S603 (our own command)
            [sys.executable, "-c", ENTRY, *words], env=environment, stdin=subprocess.DEVNULL, stdout=talk,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def _address(server: subprocess.Popen[bytes], log: Path) -> Address:
    """Where it listens, as it tells.

    Raises:
        RemoteError: it did not tell in time.
    """
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < READY_LIMIT_S:
        talk = log.read_text(encoding="utf-8", errors="replace")
        if found := READY.search(talk):
            return Address("127.0.0.1", int(found[1]))
        if server.poll() is not None:
            break
        time.sleep(POLL_S)
    raise RemoteError(f"a server did not start: {talk.strip()[-500:]}", hint=f"read {log}")


def _part(number: int, server: subprocess.Popen[bytes]) -> Part:
    return Part(
        f"replica {number + 1}",
        SERVICE,
        lambda: read_processes(server.pid),
        lambda: "" if server.poll() is None else f"ended with {server.returncode}",
    )


def _end(server: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and after a while SIGKILL for the whole group."""
    server.terminate()
    try:
        server.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
