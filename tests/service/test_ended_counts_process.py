"""Totals of a real service while its processes are replaced and killed, and somebody asks all the time."""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.pictures import picture_bytes
from tests.service.asking import ask_once
from tests.service.running import PATIENCE_S, RunningService, running_service

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals as on POSIX"),
]
RESTARTS = 5
GROWING = ("_total", "_bucket", "_count", "_sum")


def series(text: bytes) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


class Watcher:
    """Asks for the counters again and again, each time on a new connection, and notes what went back."""

    def __init__(self, port: int) -> None:
        self.port, self.looks, self.wrong = port, 0, list[str]()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join(PATIENCE_S)

    def ask(
        self, method: str = "GET", path: str = "/metrics", body: bytes | None = None
    ) -> tuple[int, bytes]:
        status, _, answer = ask_once(self.port, method, path, body)
        return status, answer

    def _watch(self) -> None:
        last: dict[str, float] = {}
        while not self._end.is_set():
            try:
                status, body = self.ask()
            except (ConnectionError, http.client.IncompleteRead):  # of a process that was killed
                continue
            if status != 200:
                self.wrong.append(f"{status} {body!r}")
                continue
            now = series(body)
            self.looks += 1
            self.wrong += [
                f"{name}: {now.get(name)} after {value}"
                for name, value in last.items()
                if name.partition("{")[0].endswith(GROWING) and now.get(name, -1.0) < value
            ]
            if last and now["leafsight_start_seconds"] != last["leafsight_start_seconds"]:
                self.wrong.append("another start")
            last = now


def children(service: RunningService) -> list[int]:
    pid = service.process.pid
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_totals_never_go_back_and_files_do_not_become_more(
    tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    with running_service(tmp_path / "state", colour_model, "--workers", "2") as service:
        (folder,) = (tmp_path / "tmp").glob("leafsight-metrics-*")
        watchers = [Watcher(service.port) for _ in range(3)]
        answered = 0
        for times in range(1, RESTARTS + 1):
            service.process.send_signal(signal.SIGHUP)
            while sum("all processes are replaced" in one for one in service.said) < times:
                answered += watchers[0].ask("POST", "/v1/predict", picture_bytes())[0] == 200
        old = children(service)
        time.sleep(5.1)  # who dies younger counts as one that cannot start
        os.kill(old[0], signal.SIGKILL)
        until(lambda: old[0] not in children(service) and len(children(service)) == len(old))
        until(lambda: b'pid="' in watchers[0].ask()[1])
        for watcher in watchers:
            watcher.stop()
        now = series(watchers[0].ask()[1])
        names = [path.name for path in folder.iterdir()]
    assert [wrong for watcher in watchers for wrong in watcher.wrong] == []
    assert min(watcher.looks for watcher in watchers) > RESTARTS
    assert (
        sum(value for name, value in now.items() if name.startswith("leafsight_verdicts_total")) == answered
    )
    assert answered > RESTARTS
    assert len(names) <= 6 * 2 + 3, sorted(names)
