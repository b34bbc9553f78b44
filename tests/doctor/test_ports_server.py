"""Ports that are free, held, forbidden, or ours already; and a running server asked from outside."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.doctor.conftest import states, the
from tests.fakes.ports import free_port
from tests.service.running import service_in_thread

from leafsight import __version__
from leafsight.doctor import Finding, server
from leafsight.doctor.addresses import asked_at, is_local
from leafsight.doctor.asking import ask, checked_server
from leafsight.doctor.clocks import wall_clock_ms
from leafsight.doctor.ports import check_ports
from leafsight.doctor.server import check_server
from leafsight.errors import UsageError
from leafsight.service import ServiceOptions
from leafsight.state import open_state

FINE = {
    "/healthz": (200, {"status": "alive", "version": __version__}),
    "/readyz": (200, {"status": "ready", "model": "a" * 64}),
    "/v1/about": (200, {"version": __version__, "model": {"id": "a" * 64, "name": "leaves"}}),
    "/metrics": (401, {}),
}


@contextmanager
def playing(answer: Callable[[str, str], tuple[int, Any]], off_s: float = 0) -> Iterator[int]:
    """A server whose answers are made up: path and key -> status and JSON; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, value = answer(self.path, self.headers.get("Authorization", ""))
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(time.time() + off_s)

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    try:
        yield listening.server_address[1]
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def fixed(**changed: tuple[int, Any]) -> Callable[[str, str], tuple[int, Any]]:
    answers = {**FINE, **{f"/{name.replace('_', '/')}": value for name, value in changed.items()}}
    return lambda path, key: answers[path]


def ports(port: int, host: str = "127.0.0.1", **more: Any) -> list[Finding]:
    words = {"admin_host": "127.0.0.1", "admin_port": 0, **more}
    return list(check_ports(host, port, timeout_s=1, **words))


def from_outside(port: int, key: str = "", *, waited: list[float] | None = None) -> list[Finding]:
    sleep = (waited if waited is not None else []).append
    return list(check_server(f"http://127.0.0.1:{port}", key, timeout_s=2, now=wall_clock_ms, sleep=sleep))


def test_free_ports() -> None:
    port = free_port()
    assert states(ports(port, admin_port=free_port())) == {"ports.port": "ok", "ports.admin_port": "ok"}
    assert states(ports(0)) == {"ports.port": "ok"}
    with socket.create_server(("127.0.0.1", port)):  # nothing of ours holds it
        pass


def test_a_port_that_another_program_holds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:  # and never says a word
        started = time.monotonic()
        [one] = ports(held.getsockname()[1])
        assert time.monotonic() - started < 4
    assert (one.state, "another program" in one.said) == ("fail", True)
    with playing(lambda path, key: (200, b"<html>")) as port:
        assert "another program" in ports(port)[0].said


def test_a_leafsight_that_listens_already() -> None:
    with playing(fixed()) as port:
        assert states(ports(port)) == {"ports.port": "ok", "ports.port_ready": "ok"}
    with playing(fixed(healthz=(200, {"status": "alive", "version": "9.9"}))) as port:
        one = the(ports(port), "ports.port")
    assert (one.state, "9.9" in one.said) == ("warn", True)
    with playing(fixed(readyz=(503, {"detail": "the process is starting"}))) as port:
        one = the(ports(port), "ports.port_ready")
    assert (one.state, "the process is starting" in one.said) == ("fail", True)


def test_addresses_that_cannot_be_listened_on() -> None:
    [foreign] = ports(8000, host="192.0.2.1")
    assert (foreign.state, "no address of this computer" in foreign.said) == ("fail", True)
    [unknown] = ports(8000, host="no-such-host.invalid")
    assert unknown.state == "fail"


def test_what_is_this_computer() -> None:
    hosts = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "leaf.example")
    assert [is_local(host) for host in hosts] == [True, True, True, False, False]
    assert (asked_at("0.0.0.0", 80), asked_at("::", 80)) == ("http://127.0.0.1:80", "http://[::1]:80")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, colour_model: Path) -> Iterator[tuple[int, str]]:
    """A real service: its port and the address of its database."""
    folder = tmp_path_factory.mktemp("running")
    options = ServiceOptions(
        registry_dir=folder / "registry", database_url=f"sqlite:///{folder}/state.db",
        blob_url=str(folder / "blobs"), model=colour_model,
    )  # fmt: skip
    with service_in_thread(options) as service:
        yield service.port, options.database_url


def test_a_real_server_from_outside(running: tuple[int, str]) -> None:
    port, database_url = running
    found = from_outside(port)
    assert set(states(found).values()) == {"ok"}
    assert "16 connections met the same model" in the(found, "server.models").said
    assert states(ports(port)) == {"ports.port": "ok", "ports.port_ready": "ok"}
    with open_state(database_url) as state:
        _, admin = state.keys.make("admin", ["admin"])
        record, other = state.keys.make("other", ["predict"])
    time.sleep(5.1)  # what a process knows of keys holds for 5 s
    assert the(from_outside(port), "server.admin_side").said.endswith("(401)")
    assert the(from_outside(port, admin), "server.key").said == "the key opens the admin side"
    assert the(from_outside(port, other), "server.key").said == "the key is valid, without the scope admin"
    wrong = the(from_outside(port, f"{other[:-1]}x"), "server.key")
    assert (wrong.state, "not valid" in wrong.said) == ("fail", True)
    assert record.id not in str(found)


def test_nobody_there_and_somebody_else() -> None:
    [one] = from_outside(free_port())
    assert (one.name, one.state) == ("server.answers", "fail")
    with playing(lambda path, key: (404, b"nothing")) as port:
        [one] = from_outside(port)
    assert (one.state, "not as a leafsight" in one.said) == ("fail", True)


def test_processes_that_serve_different_models() -> None:
    turns = iter(range(1000))

    def answer(path: str, key: str) -> tuple[int, Any]:
        if path != "/v1/about":
            return FINE[path]
        return 200, {"version": __version__, "model": {"id": f"{next(turns) % 2}" * 64, "name": "leaves"}}

    waited: list[float] = []
    with playing(answer) as port:
        one = the(from_outside(port, waited=waited), "server.models")
    assert (one.state, "000000000000, 111111111111" in one.said) == ("fail", True)
    assert waited == [server.AGAIN_S]


def test_a_promotion_under_way_is_no_fault() -> None:
    turns = iter(range(1000))

    def answer(path: str, key: str) -> tuple[int, Any]:
        number = next(turns)
        model = {"id": ("b" if number > 10 else "a") * 64, "name": "leaves"}
        return FINE[path] if path != "/v1/about" else (200, {"version": __version__, "model": model})

    with playing(answer) as port:
        assert the(from_outside(port), "server.models").state == "ok"


def test_other_versions_and_another_clock() -> None:
    with playing(
        fixed(v1_about=(200, {"version": "9.9", "model": {"id": "a", "name": "b"}})), off_s=300
    ) as port:
        found = from_outside(port)
    assert the(found, "server.versions").state == "warn"
    assert the(found, "clock.server").state == "warn"
    assert "300" in the(found, "clock.server").said or "299" in the(found, "clock.server").said


def test_an_admin_side_open_to_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    with playing(fixed(metrics=(200, b"leafsight_up 1"))) as port:
        assert the(from_outside(port), "server.admin_side").state == "ok"  # this computer
        monkeypatch.setattr(server, "is_local", lambda host: False)
        one = the(from_outside(port), "server.admin_side")
    assert (one.state, "leafsight keys make" in one.todo) == ("fail", True)


def test_a_key_never_travels_on_an_open_line(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str] = []

    def answer(path: str, key: str) -> tuple[int, Any]:
        keys.append(key)
        return FINE[path]

    monkeypatch.setattr(server, "is_local", lambda host: False)
    with playing(answer) as port:
        one = the(from_outside(port, "ls_key"), "server.key")
    assert one.state == "skipped"
    assert set(keys) == {""}


@pytest.mark.parametrize(
    "url",
    [
        "leaf.example",
        "ftp://leaf.example",
        "http://",
        "http://a:b@leaf.example",
        "http://x:99999",
        "http://a b",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UsageError):
        checked_server(url)


def test_a_redirect_is_not_followed_and_a_long_answer_is_cut() -> None:
    with playing(lambda path, key: (200, b"x" * 3_000_000)) as port:
        assert ask(f"http://127.0.0.1:{port}", "/a", timeout_s=2).value == {}
    with playing(lambda path, key: (302, b"")) as port:
        assert ask(f"http://127.0.0.1:{port}", "/a", timeout_s=2).status == 302
