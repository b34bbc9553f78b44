"""The list of photographs, and what its keys mean; what is selected stays so when it is arranged anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListView

from leafsight.desktop.session.language import tr
from leafsight.desktop.window.rows import Rows

Flag = QItemSelectionModel.SelectionFlag
COMMANDS = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)


class PhotographList(QListView):
    """Rows that a hand and a keyboard go through."""

    word_wanted = Signal()
    """Somebody wants to say what the selected ones really show."""
    right = Signal()
    taken_back = Signal()
    keys_wanted = Signal()

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self._rows = rows
        self.setModel(rows)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName(tr("Photographs"))
        key = Qt.Key
        self._meanings: dict[Qt.Key, Callable[[], object]] = {
            key.Key_Return: self.word_wanted.emit, key.Key_Enter: self.word_wanted.emit,
            key.Key_C: self.word_wanted.emit, key.Key_R: self.right.emit,
            key.Key_U: self.taken_back.emit, key.Key_Backspace: self.taken_back.emit,
            key.Key_N: partial(self.go, 1), key.Key_P: partial(self.go, -1),
        }  # fmt: skip

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """A letter is a wish; the other keys mean what they mean in every list."""
        meaning = self._meanings.get(Qt.Key(event.key()))
        if event.text() == "?":
            self.keys_wanted.emit()
        elif meaning is None or event.modifiers() & COMMANDS:
            super().keyPressEvent(event)
        elif self._rows.rowCount():
            meaning()

    def keyboardSearch(self, search: str) -> None:  # noqa: N802
        """Letters are wishes here; names are found with the line above."""

    @property
    def current_number(self) -> int | None:
        """Of the photograph that is looked at."""
        return self._rows.number_at(self.currentIndex())

    @property
    def selected_numbers(self) -> list[int]:
        """Numbers of all that are selected, from the first row to the last."""
        numbers = self._rows.numbers
        spans = sorted((one.top(), one.bottom()) for one in self.selectionModel().selection().toList())
        return [number for top, bottom in spans for number in numbers[max(0, top) : bottom + 1]]

    def show_numbers(self, numbers: Sequence[int]) -> None:
        """Show these instead; what was selected stays so, the nearest one stands in for what is gone."""
        number, row = self.current_number, self.currentIndex().row()
        selected = self.selected_numbers
        self._rows.show(numbers)
        if not numbers:
            return
        found = None if number is None else self._rows.row_of(number)
        row = min(max(row, 0), len(numbers) - 1) if found is None else found
        if self.currentIndex().row() == row and self.selected_numbers == selected:
            return
        kept = sorted(at for one in selected if (at := self._rows.row_of(one)) is not None)
        self._select(kept or [row])
        self.selectionModel().setCurrentIndex(self._rows.index(row), Flag.NoUpdate)

    def choose_numbers(self, numbers: Collection[int]) -> None:
        """Select these, as far as they are shown, and look at the first."""
        rows = sorted(at for one in numbers if (at := self._rows.row_of(one)) is not None)
        if rows:
            self._select(rows)
            self.selectionModel().setCurrentIndex(self._rows.index(rows[0]), Flag.NoUpdate)

    def go(self, step: int) -> None:
        """To the next row, or the one before."""
        self.go_to(self.currentIndex().row() + step)

    def go_behind(self, numbers: Collection[int]) -> None:
        """To the row behind the last of these."""
        rows = [at for one in numbers if (at := self._rows.row_of(one)) is not None]
        self.go_to(max(rows, default=-1) + 1)

    def go_to(self, row: int) -> None:
        """To a row, or the nearest that there is."""
        if self._rows.rowCount():
            index = self._rows.index(min(max(row, 0), self._rows.rowCount() - 1))
            self.selectionModel().setCurrentIndex(index, Flag.ClearAndSelect)

    def _select(self, rows: Sequence[int]) -> None:
        """These and no others; in as few spans as possible, for there may be many thousand."""
        selection = QItemSelection()
        first = last = rows[0]
        for row in [*rows[1:], -1]:
            if row == last + 1:
                last = row
                continue
            selection.select(self._rows.index(first), self._rows.index(last))
            first = last = row
        self.selectionModel().select(selection, Flag.ClearAndSelect)
