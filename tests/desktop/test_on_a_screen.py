"""The real program on a virtual screen, with a real mouse and keyboard: work, a crash, the next window."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.desktop.on_disk import answered, journal, kept
from tests.desktop.screen import FIRST_PHOTOGRAPH, PATIENCE_S, Screen
from tests.fakes.tiny_bundle import BLUE, GREEN, RED
from tests.journeys.small_world import command_line, save_picture

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
pytestmark = [pytest.mark.gui, pytest.mark.slow]


def test_diagnosed_killed_and_open_again(
    screen: Screen, tmp_path: Path, state: Path, colour_model: Path
) -> None:
    for name, colour in (("1.jpg", RED), ("2.jpg", GREEN), ("3.jpg", BLUE)):
        save_picture(tmp_path / "photos" / name, colour)
    common = ("--state-dir", state, "--model", colour_model)
    first = screen.desktop(tmp_path / "photos", *common)
    first.until(lambda: answered(state) == {"1.jpg", "2.jpg", "3.jpg"})

    def take_the_second_away() -> None:
        screen.click(*FIRST_PHOTOGRAPH)
        screen.keys("Down", "Delete")

    screen.until_done(first, take_the_second_away, lambda: len(kept(state)) < 3)
    first.kill()  # as a crash does
    left = set(kept(state))
    assert left == {"1.jpg", "3.jpg"}

    again = screen.desktop(*common)
    # Written anew, so it was read: what was taken away is not in it any more.
    again.until(lambda: {Path(one["path"]).name for one in journal(state)} == left)
    assert again.end() == 0, again.said
    assert answered(state) == left
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
        command_line("desktop", "--state-dir", tmp_path),
        env={**os.environ, **words}, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert f"error: {said}" in done.stderr
    assert "hint: " in done.stderr


def test_what_is_not_there_is_said_before_a_window_opens(tmp_path: Path) -> None:
    done = subprocess.run(
        command_line("desktop", tmp_path / "none.jpg"),
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 2
    assert "none.jpg is not there" in done.stderr
