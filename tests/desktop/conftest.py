"""Windows for tests, without a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, RED
from tests.journeys.small_world import save_picture


@pytest.fixture
def opened(
    qtbot: Any, tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Opens windows on one state folder; they are closed at the end, whatever waits."""
    pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
    from PySide6.QtWidgets import QMessageBox

    from leafsight.desktop import DesktopOptions
    from leafsight.desktop.window.application import make_application, make_window

    windows: list[Any] = []
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)

    def make(**options: Any) -> Any:
        make_application()
        window = make_window(
            DesktopOptions(
                **{"state_dir": tmp_path / "state", "model": colour_model, "threads": 2, **options}
            )
        )
        window.show()
        windows.append(window)
        return window

    yield make
    for window in windows:
        window.close()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name, colour in (
        ("1 red.jpg", RED),
        ("2 green.jpg", GREEN),
        ("3 blue.jpg", BLUE),
        ("4 grey.jpg", GREY),
    ):
        save_picture(tmp_path / "photos" / name, colour)
    return tmp_path / "photos"
