"""Tables of words and figures: sorted, coloured by what a figure means, read cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QAbstractItemView, QFrame, QTableView

from leafsight.desktop.window.theme import Tokens

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
SORT = Qt.ItemDataRole.UserRole
BEYOND_PX = 2
NAME_CHARACTERS = 28


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        text: that is shown.
        sort: what it is sorted by; the text where None.
        tone: ``good``, ``bad``, ``quiet``, ``heading`` or empty.
    """

    text: str
    sort: float | str | None = None
    tone: str = ""


class Rows(QAbstractTableModel):
    """Cells under named columns; the first column names its row."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens
        self._columns: Sequence[str] = ()
        self._rows: Sequence[Sequence[Cell]] = ()

    def show(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Show these instead."""
        self.beginResetModel()
        self._columns, self._rows = columns, rows
        self.endResetModel()

    def wear(self, tokens: Tokens) -> None:
        """Other colours hold."""
        self._tokens = tokens
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(self._columns) - 1))

    def rowCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802
        """How many rows there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802
        """How many columns there are."""
        return 0 if parent.isValid() else len(self._columns)

    def cell(self, row: int, column: int) -> Cell:
        """One cell; an empty one where the row is shorter."""
        cells = self._rows[row]
        return cells[column] if column < len(cells) else Cell("")

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """The names of the columns."""
        across = orientation == Qt.Orientation.Horizontal
        if across and role == Qt.ItemDataRole.DisplayRole and section < len(self._columns):
            return self._columns[section]
        if across and role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, colour, weight, and the words that a screen reader speaks."""
        cell = self.cell(index.row(), index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == SORT:
            return cell.text.lower() if cell.sort is None else cell.sort
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self._columns[index.column()]}: {cell.text}" if index.column() else cell.text
        if role == Qt.ItemDataRole.ForegroundRole:
            colours = {"good": self._tokens.accent, "bad": self._tokens.bad, "quiet": self._tokens.quiet}
            return QColor(colours.get(cell.tone, self._tokens.ink))
        if role == Qt.ItemDataRole.FontRole and cell.tone in ("heading", "good", "bad"):
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None


class Table(QTableView):
    """A table to read.

    Args:
        name: what a screen reader calls it.
        tokens: the colours.
        is_sorted: whether a click on a column sorts by it.
        fits: whether it is as high as its rows, so that what it lies in scrolls.
    """

    def __init__(self, name: str, tokens: Tokens, *, is_sorted: bool = False, fits: bool = False) -> None:
        super().__init__()
        self._fits = fits
        self.rows = Rows(tokens)
        if is_sorted:
            ordered = QSortFilterProxyModel(self)
            ordered.setSourceModel(self.rows)
            ordered.setSortRole(SORT)
            self.setModel(ordered)
        else:
            self.setModel(self.rows)
        self.setSortingEnabled(is_sorted)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        if fits:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_rows(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Show these instead; rows whose first cell is a heading go across all columns."""
        self.clearSpans()
        self.rows.show(columns, rows)
        for number, row in enumerate(rows):
            if row and row[0].tone == "heading":
                self.setSpan(number, 0, 1, len(columns))
        self.fit()

    def fit(self) -> None:
        """Lay out anew: other rows, or another size of text."""
        if self.model().columnCount():
            # Once, and not by a resize mode: that measures all cells again at every change of style.
            self.resizeColumnsToContents()
            # The first column names its rows, on several lines if need be: the figures shall be seen.
            self.setColumnWidth(0, self.fontMetrics().averageCharWidth() * NAME_CHARACTERS)
            self.resizeRowsToContents()
        self.updateGeometry()

    def sizeHint(self) -> QSize:  # noqa: N802
        """As high as the rows, where it fits them."""
        hint = super().sizeHint()
        return QSize(hint.width(), self._height()) if self._fits else hint

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The same: a table that fits its rows never scrolls."""
        hint = super().minimumSizeHint()
        return QSize(hint.width(), self._height()) if self._fits else hint

    def _height(self) -> int:
        across = self.horizontalScrollBar()
        return (
            self.horizontalHeader().sizeHint().height()
            + sum(self.rowHeight(row) for row in range(self.model().rowCount()))
            + (across.sizeHint().height() if across.maximum() > 0 else 0)
            + BEYOND_PX
        )
