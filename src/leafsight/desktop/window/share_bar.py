"""A share as a bar with its number."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from leafsight.desktop.session.wording import percent
from leafsight.desktop.window.controls import words


class ShareBar(QWidget):
    """A share as a bar with its number."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        title = words("", name)
        title.setMinimumWidth(90)
        line.addWidget(title)
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        line.addWidget(self._bar, 1)
        self._figure = words("heading")
        line.addWidget(self._figure)

    def show_share(self, share: float) -> None:
        """Show it."""
        self._bar.setValue(round(1000 * share))
        self._figure.setText(percent(share, 1))
        self._bar.setAccessibleName(f"{self._name}: {percent(share, 1)}")
