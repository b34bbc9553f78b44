"""The list of photographs as Qt wants to see it: numbers in the order that was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage

from leafsight.desktop.session import Photograph, Session, headline, name_of, plant_name, spoken, sureness
from leafsight.desktop.session.language import tr
from leafsight.desktop.window.pictures import SmallPictures

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
PHOTOGRAPH = Qt.ItemDataRole.UserRole
PICTURE = Qt.ItemDataRole.UserRole + 1
WORD = Qt.ItemDataRole.UserRole + 2
PLANT = Qt.ItemDataRole.UserRole + 3


class Rows(QAbstractListModel):
    """Photographs in the order of ``show``."""

    def __init__(self, session: Session, pictures: SmallPictures) -> None:
        super().__init__()
        self._session, self._pictures = session, pictures
        self._numbers: list[int] = []
        self._rows: dict[int, int] = {}
        self._by_path: dict[str, int] = {}
        pictures.ready.connect(self._picture_came)

    @property
    def numbers(self) -> Sequence[int]:
        """Of the photographs, from the first row to the last."""
        return self._numbers

    def show(self, numbers: Sequence[int]) -> None:
        """Show these instead."""
        if list(numbers) == self._numbers:
            return
        if self._numbers and list(numbers[: len(self._numbers)]) == self._numbers:
            # What was there stays selected.
            self.beginInsertRows(NOWHERE, len(self._numbers), len(numbers) - 1)
            self._take(numbers)
            self.endInsertRows()
            return
        self.beginResetModel()
        self._take(numbers)
        self.endResetModel()

    def changed(self, photographs: Iterable[Photograph]) -> None:
        """These look different now."""
        rows = [row for one in photographs if (row := self._rows.get(one.number)) is not None]
        if rows:
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))

    def number_at(self, index: Index) -> int | None:
        """Of the photograph in a row."""
        return self._numbers[index.row()] if 0 <= index.row() < len(self._numbers) else None

    def row_of(self, number: int) -> int | None:
        """Where a photograph is shown; None where it is not."""
        return self._rows.get(number)

    def rowCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802
        """How many are shown."""
        return 0 if parent.isValid() else len(self._numbers)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The photograph, its picture, and the words that a screen reader speaks."""
        number = self.number_at(index)
        one = None if number is None else self._session.get(number)
        if one is None:
            return None
        if role == PHOTOGRAPH:
            return one
        if role == PICTURE:
            picture: QImage | None = self._pictures.get(one.path)
            return picture
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            said = (said_of(one), self.word_of(one), self.plant_of(one))
            return f"{one.path.name}: {', '.join(text for text in said if text)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(one.path)
        if role == WORD:
            return self.word_of(one)
        if role == PLANT:
            return self.plant_of(one)
        return None

    def word_of(self, one: Photograph) -> str:
        """What a person says of it; empty when nobody said anything."""
        if one.correction is None:
            return ""
        if one.is_confirmed:
            return tr("Said to be right")
        return tr("Corrected: {condition}", condition=spoken(name_of(one.correction, self._session.model)))

    def plant_of(self, one: Photograph) -> str:
        """Which plant it shows with others; empty when none."""
        plant = self._session.plant(one.plant)
        return "" if plant is None else plant_name(plant.number, len(plant.photographs))

    def _take(self, numbers: Sequence[int]) -> None:
        self._numbers = list(numbers)
        self._rows = {number: row for row, number in enumerate(numbers)}
        shown = ((number, self._session.get(number)) for number in numbers)
        self._by_path = {str(one.path): number for number, one in shown if one is not None}

    def _picture_came(self, name: str) -> None:
        row = self._rows.get(self._by_path.get(name, -1))
        if row is not None:
            self.dataChanged.emit(self.index(row), self.index(row), [PICTURE])


def said_of(one: Photograph) -> str:
    """The answer in one line."""
    if one.prediction is None:
        return tr("Waiting")
    sure = sureness(one.prediction)
    return headline(one.prediction) + (f", {sure}" if sure else "")
