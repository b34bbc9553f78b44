"""What a person does in a window, and what they then see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel

from leafsight.desktop.window.main import MainWindow

PATIENCE_MS = 20_000
Open = Callable[..., MainWindow]


def answered(qtbot: Any, window: MainWindow, number: int) -> list[str]:
    """What the rows say, when all have their answer."""

    def there() -> None:
        assert window.page.rows.rowCount() == number
        assert not window._session.waiting

    qtbot.waitUntil(there, timeout=PATIENCE_MS)
    return said(window)


def said(window: MainWindow) -> list[str]:
    rows = window.page.rows
    return [rows.data(rows.index(row)) for row in range(rows.rowCount())]


def text(window: MainWindow, name: str) -> str:
    return "\n".join(label.text() for label in window.page.pane.findChildren(QLabel, name) if label.text())


def labels(window: MainWindow) -> list[str]:
    return [label.text() for label in window.page.pane.findChildren(QLabel) if label.isVisible()]


def say(window: MainWindow, words: str) -> None:
    """As a person does who knows the keys."""
    QTest.keyClick(window.page.list, Qt.Key.Key_C)
    picker = window.page.saying.picker
    QTest.keyClicks(picker.line, words)
    QTest.keyClick(picker.line, Qt.Key.Key_Return)


def choose(box: QComboBox, data: object) -> None:
    """As a person does: the signal comes."""
    box.setCurrentIndex(box.findData(data))
    box.activated.emit(box.currentIndex())
