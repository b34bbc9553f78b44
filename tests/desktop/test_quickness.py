"""What keeps the window's thread free: pages are made in two turns, and dressed when they are seen."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtWidgets import QApplication, QWidget
from tests.desktop.windows import PATIENCE_MS, Open

from leafsight.desktop.window.main import MainWindow
from leafsight.desktop.window.theme import DARK, LIGHT

pytestmark = pytest.mark.gui
MOST_TIMES = 3
"""That a widget may be told of one change of the look; in a sheet of the application it was ten."""


class Restyled(QObject):
    """Counts how often each widget is given its style again."""

    def __init__(self) -> None:
        super().__init__()
        self.times: Counter[QObject] = Counter()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Only looks on."""
        if event.type() == QEvent.Type.StyleChange and isinstance(watched, QWidget):
            self.times[watched] += 1
        return False


def ground(window: MainWindow) -> int:
    """How light it is in the lower left corner of the page."""
    return window.grab().toImage().pixelColor(QPoint(5, window.height() - 5)).lightness()


def test_only_what_is_seen_wears_another_look_at_once(opened: Open, qtbot: Any) -> None:
    window = opened()
    window._prefer(look="light")
    for name in ("models", "settings"):
        window.go(name)
    application, restyled = QApplication.instance(), Restyled()
    assert isinstance(application, QApplication)
    application.installEventFilter(restyled)
    window._prefer(look="dark")
    application.removeEventFilter(restyled)
    assert window.front in restyled.times
    hidden = [window._pages[name] for name in ("diagnose", "models")]
    assert not [one for one in restyled.times for page in hidden if page.isAncestorOf(one) or one is page]
    assert max(restyled.times.values()) <= MOST_TIMES
    assert DARK.card in window.front.styleSheet()
    qtbot.waitUntil(lambda: ground(window) < 60, timeout=PATIENCE_MS)


def test_a_hidden_page_wears_it_when_it_is_seen(opened: Open, qtbot: Any) -> None:
    window = opened()
    window._prefer(look="light")
    window.go("models")
    models = window.front
    window.go("settings")
    window._prefer(look="dark", text_scale=1.5)
    assert LIGHT.card in models.styleSheet()
    window.tabs["models"].click()
    assert window.front is models
    assert DARK.card in models.styleSheet()
    assert LIGHT.card not in models.styleSheet()
    assert "QTableView" in models.styleSheet(), "and what it has for itself"
    qtbot.waitUntil(lambda: ground(window) < 60, timeout=PATIENCE_MS)
    window.tabs["diagnose"].click()
    assert window.page._painter.tokens == DARK


def test_a_new_page_is_made_a_turn_later(opened: Open, qtbot: Any) -> None:
    window = opened()
    window.tabs["models"].click()
    assert [name for name, tab in window.tabs.items() if tab.isChecked()] == ["models"]
    assert not window.page.isVisible(), "keys that follow are not for the page before"
    assert "models" not in window._pages
    qtbot.waitUntil(lambda: "models" in window._pages, timeout=PATIENCE_MS)
    assert window.front is window._pages["models"]


def test_the_page_that_was_wanted_last_comes(opened: Open, qtbot: Any) -> None:
    window = opened()
    for name in ("settings", "models", "diagnose"):
        window.tabs[name].click()
    assert window.front is window.page
    qtbot.wait(100)
    assert window.front is window.page
    assert list(window._pages) == ["diagnose"]


def test_a_window_that_closes_makes_no_page_any_more(opened: Open, qtbot: Any) -> None:
    window = opened()
    window.tabs["settings"].click()
    window.close()
    qtbot.wait(100)
    assert list(window._pages) == ["diagnose"]
