"""One window on one state folder, with real processes: a second start hands its photographs to the first."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.tiny_bundle import BLUE, GREEN, RED
from tests.journeys.small_world import save_picture

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from leafsight.desktop.session.handing_over import MOST_BYTES, Handed, address_of, message_of
from leafsight.desktop.window.one_window import ANSWERS_WITHIN_S, Listener, hand_over

pytestmark = pytest.mark.gui

ENTRY = "from leafsight.cli import main; main()"
PATIENCE_S = 20.0
PATIENCE_MS = 20_000


class Desk:
    """Starts leafsight on one state folder."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.state, self.photos, self._model = folder / "state", folder / "photos", model
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "QT_QPA_PLATFORM": "offscreen"}
        self.started: list[subprocess.Popen[str]] = []
        for name, colour in (("1.jpg", RED), ("2.jpg", GREEN), ("3.jpg", BLUE)):
            save_picture(self.photos / name, colour)

    def start(self, *words: object, cwd: Path | None = None) -> subprocess.Popen[str]:
        common = ("--state-dir", str(self.state), "--threads", "1")
        command = [sys.executable, "-c", ENTRY, "desktop", *map(str, words), *common]
        environment = {**self.environment, "LEAFSIGHT_MODEL": str(self._model)}
        program = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, cwd=cwd)
        self.started.append(program)
        return program

    def answered(self) -> set[str]:
        lines = (self.state / "desktop" / "open.jsonl").read_text().splitlines()
        return {Path(one["path"]).name for one in map(json.loads, lines) if one.get("prediction")}

    def socket(self) -> Path:
        found = list(Path(self.environment["XDG_RUNTIME_DIR"]).iterdir())
        return found[0] if len(found) == 1 else Path("none")


@pytest.fixture
def desk(tmp_path: Path, colour_model: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, colour_model)
    yield made
    for program in made.started:
        if program.poll() is None:
            program.send_signal(signal.SIGCONT)
            program.kill()
        program.wait()
        assert program.stderr is not None
        program.stderr.close()


def hears_signals(program: subprocess.Popen[str]) -> bool:
    """Whether it is far enough to end well: the lock is taken, a window comes."""
    status = Path(f"/proc/{program.pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def until(holds: Callable[[], Any], program: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            if holds():
                return
        except (OSError, ValueError):
            pass
        if program.poll() is not None or time.monotonic() > end:
            program.kill()
            pytest.fail(f"it did not come; the program said: {program.communicate()[1]}")
        time.sleep(0.02)


def ended(program: subprocess.Popen[str]) -> str:
    _, said = program.communicate(timeout=PATIENCE_S)
    assert program.returncode == 0, said
    return said


def test_a_second_start_hands_its_photographs_over_and_ends(desk: Desk) -> None:
    first = desk.start(desk.photos / "1.jpg")
    until(lambda: hears_signals(first), first)  # it has the lock, and does not even listen yet
    second = desk.start("2.jpg", cwd=desk.photos)
    assert ended(second) == "handed to the window that is open; --new-window opens another\n"
    until(lambda: desk.answered() == {"1.jpg", "2.jpg"}, first)
    assert stat.S_IMODE(desk.socket().stat().st_mode) & 0o077 == 0
    assert ended(desk.start()).startswith("handed to")  # nothing to open: it only comes to the front
    first.send_signal(signal.SIGTERM)
    ended(first)
    assert not desk.socket().exists()


def test_many_starts_at_once_are_one_window(desk: Desk) -> None:
    starts = [desk.start(desk.photos / f"{number}.jpg") for number in (1, 2, 3)]
    until(lambda: desk.answered() == {"1.jpg", "2.jpg", "3.jpg"}, _alive(starts))
    end = time.monotonic() + PATIENCE_S
    while sum(one.poll() is None for one in starts) > 1 and time.monotonic() < end:
        time.sleep(0.02)
    assert sum(one.poll() is None for one in starts) == 1


def _alive(starts: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """One that stays; which of them it is, the lock decides."""
    while True:
        for one in starts:
            try:
                one.wait(0.05)
            except subprocess.TimeoutExpired:
                if sum(other.poll() is None for other in starts) == 1:
                    return one


def test_another_window_all_the_same_keeps_nothing(desk: Desk) -> None:
    first = desk.start(desk.photos / "1.jpg")
    until(lambda: desk.answered() == {"1.jpg"}, first)
    other = desk.start("--new-window", desk.photos / "2.jpg")
    until(lambda: hears_signals(other), other)
    assert ended(desk.start(desk.photos / "3.jpg")).startswith("handed to")
    until(lambda: desk.answered() == {"1.jpg", "3.jpg"}, first)
    assert other.poll() is None
    for program in (other, first):
        program.send_signal(signal.SIGTERM)
        assert "window that is open" not in ended(program)
    assert desk.answered() == {"1.jpg", "3.jpg"}


def test_the_socket_of_a_killed_window_is_taken_over(desk: Desk) -> None:
    first = desk.start(desk.photos / "1.jpg")
    until(lambda: desk.answered() == {"1.jpg"} and desk.socket().exists(), first)
    first.kill()
    first.communicate()
    left = desk.socket().stat().st_ctime_ns
    second = desk.start()
    until(lambda: desk.socket().stat().st_ctime_ns != left, second)
    third = desk.start(desk.photos / "2.jpg")
    assert ended(third).startswith("handed to")
    until(lambda: desk.answered() == {"1.jpg", "2.jpg"}, second)


def test_a_window_that_hangs_is_not_waited_for(desk: Desk) -> None:
    first = desk.start()
    until(lambda: desk.socket().exists(), first)
    first.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    second = desk.start(desk.photos / "1.jpg")
    assert second.stderr is not None
    assert "does not answer: this is another one, and it keeps nothing" in second.stderr.readline()
    assert time.monotonic() - began >= ANSWERS_WITHIN_S
    until(lambda: hears_signals(second), second)
    second.send_signal(signal.SIGTERM)
    ended(second)
    first.send_signal(signal.SIGCONT)


@pytest.fixture
def heard(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[Handed]]]:
    """An address, and what the listener there was told."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    listener, told = Listener(), []
    listener.handed.connect(told.append)
    address = address_of(tmp_path)
    assert listener.listen(address)
    yield address, told
    listener.close()
    assert not Path(address).exists()


def sent(qtbot: Any, address: str, *pieces: bytes) -> bytes:
    """What comes back when somebody says this, on the same thread as the listener."""
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(address)
        one.setblocking(False)
        answer = bytearray()
        left = bytearray(b"".join(pieces))

        def closed() -> bool:
            try:
                while left:
                    del left[: one.send(left)]
            except BlockingIOError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                left.clear()
            try:
                while piece := one.recv(1024):
                    answer.extend(piece)
            except BlockingIOError:
                return False
            except ConnectionResetError:
                pass
            return True

        qtbot.waitUntil(closed, timeout=PATIENCE_MS)
        return bytes(answer)


def test_what_was_said_is_opened_and_answered(heard: tuple[str, list[Handed]], qtbot: Any) -> None:
    address, told = heard
    handed = Handed((Path("/a b.jpg"), Path("/\udcff.jpg")), (Path("/m.leafsight"),), "token-1")
    assert sent(qtbot, address, message_of(handed)) == b"taken\n"
    assert told == [handed]


@pytest.mark.parametrize(
    "line",
    [
        b"\n", b"[]\n", b"{}\n", b"[" * 100_000 + b"\n", b"\xff\xfe\n",
        b'{"photos": ["relative.jpg"], "models": [], "token": ""}\n',
        b'{"photos": ["/a\\u0000b"], "models": [], "token": ""}\n',
        b'{"photos": [5], "models": [], "token": ""}\n',
        b'{"photos": ["/' + b"a" * 5000 + b'"], "models": [], "token": ""}\n',
        b'{"photos": ["/\\ud800"], "models": [], "token": ""}\n',
        b'{"photos": ' + json.dumps(["/a"] * 201).encode() + b', "models": [], "token": ""}\n',
        b'{"photos": [], "models": [], "token": "a b"}\n',
        b'{"photos": [], "models": [], "token": "", "run": "/bin/sh"}\n',
        b"a" * (MOST_BYTES + 100_000),
    ],
    ids=range(14),
)  # fmt: skip
def test_what_is_no_list_of_files_is_not_heard(
    heard: tuple[str, list[Handed]], qtbot: Any, line: bytes
) -> None:
    address, told = heard
    assert sent(qtbot, address, line) == b""
    assert told == []
    assert sent(qtbot, address, message_of(Handed())) == b"taken\n"  # and others are heard as before


def test_who_says_nothing_is_hung_up_on(heard: tuple[str, list[Handed]], qtbot: Any) -> None:
    address, told = heard
    began = time.monotonic()
    assert sent(qtbot, address, b'{"photos"') == b""
    assert ANSWERS_WITHIN_S * 0.9 <= time.monotonic() - began < 3 * ANSWERS_WITHIN_S
    assert told == []


def test_many_visits_at_a_time_are_sent_away(heard: tuple[str, list[Handed]], qtbot: Any) -> None:
    address, told = heard
    visits = [socket.socket(socket.AF_UNIX) for _ in range(8)]
    for one in visits:
        one.connect(address)
    assert sent(qtbot, address, message_of(Handed())) == b""
    for one in visits:
        one.close()
    qtbot.waitUntil(lambda: sent(qtbot, address, message_of(Handed())) == b"taken\n", timeout=PATIENCE_MS)
    assert len(told) == 1


def test_more_than_one_message_holds_is_handed_over_in_parts() -> None:
    photos = tuple(Path(f"/{number}.jpg") for number in range(1001))
    parts = list(Handed(photos, (Path("/m.leafsight"),), "t").in_parts())
    assert [len(one.photos) for one in parts] == [0, 200, 200, 200, 200, 200, 1]
    assert parts[0].models == (Path("/m.leafsight"),)
    assert parts[0].token == "t"
    assert tuple(path for one in parts for path in one.photos) == photos


def test_nobody_listens(tmp_path: Path) -> None:
    assert not hand_over(str(tmp_path / "none"), Handed())


def test_the_folder_of_the_socket_is_of_this_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_to_all = tmp_path / "run"
    open_to_all.mkdir(mode=0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(open_to_all))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    address = Path(address_of(tmp_path / "state"))
    assert address.parent == tmp_path / f"leafsight-{os.getuid()}"
    assert stat.S_IMODE(address.parent.stat().st_mode) == 0o700
    assert address_of(tmp_path / "state") == str(address) != address_of(tmp_path / "other")
    address.parent.chmod(0o755)
    with pytest.raises(PermissionError):
        address_of(tmp_path / "state")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_is_not_heard(heard: tuple[str, list[Handed]]) -> None:
    address, told = heard
    os.seteuid(65534)
    try:
        with socket.socket(socket.AF_UNIX) as one, pytest.raises(PermissionError):
            one.connect(address)
    finally:
        os.seteuid(0)
    assert told == []
