"""Tables of text and bars of shares, as reports show them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

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


def table_of(titles: Sequence[str]) -> QTableWidget:
    """A table that is read, not edited; the first column takes the room that is left."""
    table = QTableWidget(0, len(titles))
    table.setHorizontalHeaderLabels(list(titles))
    table.setAccessibleName(titles[0])
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.verticalHeader().setVisible(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setTabKeyNavigation(False)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    return table


def fill_table(table: QTableWidget, rows: Sequence[Sequence[str]], tips: Sequence[str] = ()) -> None:
    """Rows of text; as high as they are, since the whole card scrolls."""
    table.setRowCount(len(rows))
    for number, row in enumerate(rows):
        for place, text in enumerate(row):
            item = QTableWidgetItem(text)
            if tips:
                item.setToolTip(tips[number])
            table.setItem(number, place, item)
    table.resizeRowsToContents()
    high = table.horizontalHeader().height() + sum(table.rowHeight(row) for row in range(len(rows))) + 6
    table.setFixedHeight(high)
