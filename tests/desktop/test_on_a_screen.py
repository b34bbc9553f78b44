"""The real program on a virtual screen, with a real mouse and keyboard: work, a crash, the next window."""

from __future__ import annotations

import json
import os
import shutil
import signal
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
pytestmark = [pytest.mark.gui, pytest.mark.slow]
ENTRY = "from leafsight.cli import main; main()"
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def screen() -> Iterator[dict[str, str]]:
    """The environment of programs that are shown on a screen of their own."""
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24"],
        pass_fds=[writing], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    try:
        number = os.read(reading, 16).decode().strip()
        yield {**os.environ, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
    finally:
        os.close(reading)
        server.terminate()
        server.wait(PATIENCE_S)


def until(holds: Callable[[], Any], program: subprocess.Popen[str]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            found = holds()
        except (OSError, ValueError):
            found = None
        if found:
            return found
        if program.poll() is not None or time.monotonic() > end:
            program.kill()
            pytest.fail(f"it did not come; the program said: {program.communicate()[1]}")
        time.sleep(0.1)


def journal(state: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (state / "desktop" / "open.jsonl").read_text().splitlines()]


def answered(state: Path) -> set[str]:
    return {Path(one["path"]).name for one in journal(state) if one.get("prediction")}


def start(screen: dict[str, str], *words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ENTRY, "desktop", *map(str, words)]
    return subprocess.Popen(command, env=screen, stderr=subprocess.PIPE, text=True)


def hands(screen: dict[str, str], *words: str) -> None:
    subprocess.run(["xdotool", *words], env=screen, check=True, timeout=PATIENCE_S)


def test_diagnosed_killed_and_open_again(screen: dict[str, str], tmp_path: Path, colour_model: Path) -> None:
    for name, colour in (("1.jpg", RED), ("2.jpg", GREEN), ("3.jpg", BLUE)):
        save_picture(tmp_path / "photos" / name, colour)
    state = tmp_path / "state"
    common = ("--state-dir", state, "--model", colour_model)
    first = start(screen, tmp_path / "photos", *common)
    until(lambda: answered(state) == {"1.jpg", "2.jpg", "3.jpg"}, first)
    hands(screen, "mousemove", "200", "290", "click", "1")  # the second row

    def gone() -> list[str]:
        hands(screen, "key", "Delete")
        return [one["path"] for one in journal(state) if one.get("gone")]

    until(gone, first)
    first.kill()  # as a crash does
    first.communicate(timeout=PATIENCE_S)
    left = {one["path"] for one in journal(state)} - {
        one["path"] for one in journal(state) if one.get("gone")
    }
    assert 1 <= len(left) <= 2

    again = start(screen, *common)
    until(lambda: {one["path"] for one in journal(state)} == left, again)  # written anew: it was read
    again.send_signal(signal.SIGTERM)
    _, said = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 0, said
    assert {one["path"] for one in journal(state)} == left
    assert all((tmp_path / "photos" / name).exists() for name in ("1.jpg", "2.jpg", "3.jpg"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}, "there is no screen"),
        ({"PYTHONPATH": "{torn}"}, "Qt cannot be loaded: libEGL.so.1 is missing"),
    ],
)
def test_where_no_window_can_be_opened_two_lines_say_so(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    torn = tmp_path / "torn"
    (torn / "PySide6").mkdir(parents=True)
    (torn / "PySide6" / "__init__.py").write_text("raise ImportError('libEGL.so.1 is missing')")
    words = {name: value.format(torn=torn) for name, value in change.items()}
    done = subprocess.run(
        [sys.executable, "-c", ENTRY, "desktop", "--state-dir", str(tmp_path)],
        env={**os.environ, **words}, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert f"error: {said}" in done.stderr
    assert "hint: " in done.stderr


def test_what_is_not_there_is_said_before_a_window_opens(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENTRY, "desktop", str(tmp_path / "none.jpg")],
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 2
    assert "none.jpg is not there" in done.stderr
