"""The processes of a real service: replaced without a failed request, drained, missed when they die."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.fakes.pictures import picture_bytes
from tests.service.asking import ask_once

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals as on POSIX"),
]
PATIENCE_S = 60.0
PROGRAM = (sys.executable, "-c", "from leafsight.cli import main; main()")


class Running:
    """One service and how to ask it."""

    def __init__(self, process: subprocess.Popen[str], port: int, said: list[str]) -> None:
        self.process, self.port, self.said = process, port, said

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        status, _, answer = ask_once(self.port, method, path, body)
        return status, answer

    def predict(self) -> int:
        return self.ask("POST", "/v1/predict", picture_bytes())[0]

    def workers(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(one) for one in listed]

    def wait_for(self, line: str, times: int = 1) -> None:
        self.until(lambda: sum(line in one for one in self.said) >= times, line)

    def until(self, true: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < end, f"waited for {what}: {self.said[-5:]}"
            assert self.process.poll() is None or "ended" in what, self.said[-5:]
            time.sleep(0.02)


@contextmanager
def serving(folder: Path, model: Path, *words: str, program: tuple[str, ...] = PROGRAM) -> Iterator[Running]:
    process = subprocess.Popen(
        [*program, "serve", "--port", "0", "--workers", "2", "--model", str(model),
         "--state-dir", str(folder), *words],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stderr is not None
    said: list[str] = []
    lines = process.stderr
    reader = threading.Thread(target=lambda: said.extend(lines), daemon=True)
    reader.start()
    running = Running(process, 0, said)
    try:
        running.wait_for("ready on http")
        address = next(line for line in said if "ready on http" in line)
        running.port = int(address.split(":")[2].split()[0])
        yield running
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        reader.join(PATIENCE_S)
        lines.close()


class Load:
    """Callers that keep their connections, as programs do, and count what fails."""

    def __init__(self, port: int, callers: int) -> None:
        self.port, self.answered, self.failed = port, 0, list[str]()
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(callers)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _call(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        photo = picture_bytes()
        while not self._end.is_set():
            try:
                connection.request("POST", "/v1/predict", photo, {"content-type": "image/jpeg"})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.answered += 1
                else:
                    self.failed.append(str(answer.status))
            except Exception as error:
                self.failed.append(repr(error))
                connection.close()
        connection.close()


def test_processes_are_replaced_under_load_without_a_failed_request(
    tmp_path: Path, colour_model: Path
) -> None:
    with serving(tmp_path, colour_model, "--deadline-ms", "60000") as service:
        load = Load(service.port, 4)
        before = service.workers()
        for times in (1, 2):
            service.process.send_signal(signal.SIGHUP)
            service.wait_for("all processes are replaced", times)
        load.stop()
        assert not set(before) & set(service.workers())
    assert load.failed == []
    assert load.answered > 20


@pytest.mark.skipif(sys.platform != "linux", reason="connections are handed over on Linux only")
def test_kept_connections_outlive_the_processes(tmp_path: Path, colour_model: Path) -> None:
    """A caller who is idle meets no closed connection: each goes on in a process that stays."""
    with serving(tmp_path, colour_model) as service:
        idle = [http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE_S) for _ in range(8)]
        for one in idle:
            one.connect()
            one.auto_open = 0  # it fails instead of connecting again
        for number, one in enumerate(idle):
            if number % 2:  # the others have not asked yet
                one.request("GET", "/healthz")
                assert one.getresponse().read()
        before = service.workers()
        service.process.send_signal(signal.SIGHUP)
        service.wait_for("all processes are replaced")
        assert not set(before) & set(service.workers())
        for one in idle:
            one.request("POST", "/v1/predict", picture_bytes(), {"content-type": "image/jpeg"})
            answer = one.getresponse()
            assert (answer.status, answer.headers["connection"]) == (200, None)
            answer.read()
            one.close()


LOOKING = """
import gc, os, threading, time
def look():
    def shared():
        lines = open("/proc/self/smaps_rollup").read().splitlines()
        return int(next(line for line in lines if line.startswith("Shared_Dirty")).split()[1])
    before = shared()
    time.sleep(2)  # until it serves
    gc.collect()
    os.write(2, f"shared {before} {shared()}\\n".encode())  # in one piece: two processes write
os.register_at_fork(after_in_child=lambda: threading.Thread(target=look, daemon=True).start())
from leafsight.cli import main; main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_look_for_garbage_does_not_copy_what_the_processes_share(
    tmp_path: Path, colour_model: Path
) -> None:
    """Under load each process looked through all that was loaded, and so wrote into each of its pages."""
    with serving(tmp_path, colour_model, program=(sys.executable, "-c", LOOKING)) as service:
        service.wait_for("shared", 2)
        for line in service.said:
            if line.startswith("shared"):
                before, after = map(int, line.split()[1:])
                assert before > 10_000, line
                assert after > 0.75 * before, service.said


def handed_over(service: Running) -> float:
    lines = service.ask("GET", "/metrics")[1].decode().splitlines()
    name = "leafsight_connections_handed_over_total "
    return float(next(line for line in lines if line.startswith(name)).removeprefix(name))


@pytest.mark.skipif(sys.platform != "linux", reason="connections are handed over on Linux only")
def test_kept_connections_go_where_the_line_is_shorter_and_a_death_costs_each_one_request_at_most(
    tmp_path: Path, colour_model: Path
) -> None:
    with serving(tmp_path, colour_model, "--deadline-ms", "60000") as service:
        callers = 6
        load = Load(service.port, callers)
        try:
            service.until(lambda: handed_over(service) > 3, "connections that are handed over")
            assert load.failed == []
            first = service.workers()
            os.kill(first[0], signal.SIGKILL)
            service.until(lambda: len(set(service.workers()) - set(first)) == 1, "another process")
            before = load.answered, handed_over(service)
            service.until(lambda: load.answered > before[0] + 20, "answers")
            service.until(lambda: handed_over(service) > before[1], "connections that are handed over")
        finally:
            load.stop()
    assert len(load.failed) <= callers, load.failed
    cut = ("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError", "IncompleteRead")
    assert all(one.startswith(cut) for one in load.failed), load.failed


def test_a_process_that_dies_is_replaced(tmp_path: Path, colour_model: Path) -> None:
    with serving(tmp_path, colour_model) as service:
        first = service.workers()
        os.kill(first[0], signal.SIGKILL)
        service.until(lambda: len(set(service.workers()) - set(first)) == 1, "another process")
        service.until(lambda: service.predict() == 200, "an answer")


def test_sigterm_answers_what_was_begun_and_ends_with_0(tmp_path: Path, colour_model: Path) -> None:
    with serving(tmp_path, colour_model) as service:
        photo = picture_bytes()
        head = (
            f"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/jpeg\r\n"
            f"content-length: {len(photo)}\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE_S) as begun:
            begun.sendall(head + photo[:100])
            time.sleep(0.2)  # the process has seen the beginning
            service.process.send_signal(signal.SIGTERM)
            service.wait_for("ending")
            time.sleep(0.5)  # the processes look ten times a second whether they shall end
            begun.sendall(photo[100:])
            answer = b""
            while part := begun.recv(65536):
                answer += part
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer
        service.until(lambda: service.process.poll() is not None, "ended")
        assert service.process.returncode == 0


def test_the_processes_end_when_the_supervisor_is_killed(tmp_path: Path, colour_model: Path) -> None:
    with serving(tmp_path, colour_model) as service:
        workers = service.workers()
        service.process.kill()
        service.process.wait(PATIENCE_S)
        service.until(lambda: not any(Path(f"/proc/{one}/exe").exists() for one in workers), "ended")


def test_two_services_on_one_database_and_a_port_that_is_taken(tmp_path: Path, colour_model: Path) -> None:
    with serving(tmp_path, colour_model) as one, serving(tmp_path, colour_model) as other:
        assert [one.predict() for _ in range(5)] == [other.predict() for _ in range(5)] == [200] * 5
        status, body = one.ask("GET", "/v1/predictions?limit=200")
        assert (status, body.count(b'"verdict":')) == (200, 10)
        taken = subprocess.run(
            [*PROGRAM, "serve", "--port", str(one.port), "--state-dir", str(tmp_path)],
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert taken.returncode == 2
        assert "cannot listen" in taken.stderr
        assert "Traceback" not in taken.stderr


def test_counters_are_those_of_all_processes(tmp_path: Path, colour_model: Path) -> None:
    with serving(tmp_path, colour_model) as service:
        for _ in range(12):
            assert service.predict() == 200
        _, text = service.ask("GET", "/metrics")
        counted = [line for line in text.decode().splitlines() if line.startswith("leafsight_verdicts_total")]
        assert sum(float(line.split()[-1]) for line in counted) == 12


def test_another_address_is_not_served_without_keys(tmp_path: Path) -> None:
    words = [*PROGRAM, "serve", "--host", "0.0.0.0", "--state-dir", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 2
    assert "leafsight keys make" in done.stderr


def test_a_promoted_model_that_is_damaged_is_said_in_two_lines_at_the_start(
    tmp_path: Path, colour_model: Path
) -> None:
    from leafsight.registry import open_registry

    registry = open_registry(tmp_path / "registry")
    entry = registry.add(colour_model)
    registry.promote(entry.hash)
    damaged = registry.path(entry)
    damaged.chmod(0o600)
    damaged.write_bytes(damaged.read_bytes()[:-100])
    words = [*PROGRAM, "serve", "--port", "0", "--state-dir", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "rollback" in done.stderr.splitlines()[-1]
