"""The list of models: what each is called, whether it serves, how it does, since when it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from leafsight.desktop.session.language import tr, translated, trn
from leafsight.desktop.session.model_words import SHORT_DIGITS, at_home, measured
from leafsight.desktop.session.wording import in_bytes, when, with_interval
from leafsight.desktop.window.theme import Tokens

if TYPE_CHECKING:
    from leafsight.client import ModelEntry
    from leafsight.desktop.session.shelf_calls import Described

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
LINE = Qt.ItemDataRole.UserRole
EDGE_PX, LINE_PX, MARK_PX, PILL_PX = 10, 3, 5, 8


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list, in words."""

    id: str
    name: str
    short: str
    mark: str
    figures: str
    facts: str
    note: str
    is_bad: bool = False

    def said(self) -> str:
        """All of it, as it is spoken."""
        parts = (f"{self.name} {self.short}", self.mark, self.figures, self.facts, self.note)
        return ". ".join(part for part in parts if part)


def line_of(entry: ModelEntry, described: Described | None) -> Line:
    """A model as its row says it."""
    names = [alias for alias in entry.aliases if alias != "serving"]
    mark = tr("Damaged") if entry.damaged else tr("In service") if entry.serving else ", ".join(names)
    facts = (
        "" if entry.classes is None else trn("{number} class", "{number} classes", entry.classes),
        in_bytes(entry.size_bytes),
        tr("came with leafsight") if entry.builtin else tr("kept since {when}", when=when(entry.created_at)),
    )
    return Line(
        entry.id, entry.name, entry.id[:SHORT_DIGITS], mark, _figures(described),
        " \u00b7 ".join(fact for fact in facts if fact),
        "" if entry.builtin else translated(" ".join((entry.note or "").split())), entry.damaged,
    )  # fmt: skip


def _figures(described: Described | None) -> str:
    if described is None:
        return ""
    found = measured(at_home(described.model), "accuracy")
    if found is None:
        return tr("How often it is right was not measured")
    return tr("First guess right: {share}", share=with_interval(found))


class ModelRows(QAbstractListModel):
    """The models in the order of the server."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Line] = []

    def show(self, lines: Sequence[Line]) -> None:
        """Show these instead; what is the same stays as it is, and stays chosen."""
        if [one.id for one in lines] == [one.id for one in self._lines]:
            changed = [row for row, one in enumerate(lines) if one != self._lines[row]]
            self._lines = list(lines)
            for row in changed:
                self.dataChanged.emit(self.index(row), self.index(row))
            return
        self.beginResetModel()
        self._lines = list(lines)
        self.endResetModel()

    def id_at(self, index: Index) -> str | None:
        """Of the model in a row."""
        return self._lines[index.row()].id if 0 <= index.row() < len(self._lines) else None

    def row_of(self, model_id: str | None) -> int | None:
        """Where a model stands; None where it does not."""
        return next((row for row, one in enumerate(self._lines) if one.id == model_id), None)

    def rowCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802
        """How many there are."""
        return 0 if parent.isValid() else len(self._lines)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The words of a row."""
        if not 0 <= index.row() < len(self._lines):
            return None
        line = self._lines[index.row()]
        if role == LINE:
            return line
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return line.said()
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.note or None
        return None


class ModelPainter(QStyledItemDelegate):
    """Draws rows in the colours of ``tokens``."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tokens = tokens

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """Four lines: all rows are alike, so that nothing jumps when figures come."""
        return QSize(200, 4 * (QFontMetrics(option.font).height() + LINE_PX) + 2 * EDGE_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One row."""
        line = index.data(LINE)
        if not isinstance(line, Line):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(self.tokens.tint))
        if selected:
            bar = QRect(option.rect.left(), option.rect.top(), MARK_PX, option.rect.height())
            painter.fillRect(bar, QColor(self.tokens.accent))
        place = option.rect.adjusted(EDGE_PX + MARK_PX, EDGE_PX, -EDGE_PX, -EDGE_PX)
        high = QFontMetrics(option.font).height() + LINE_PX
        self._first(painter, QRect(place.left(), place.top(), place.width(), high), line, option.font)
        for number, text in enumerate((line.figures, line.facts, line.note), 1):
            self._text(
                painter, QRect(place.left(), place.top() + number * high, place.width(), high), text,
                option.font, self.tokens.ink if number == 1 else self.tokens.quiet,
            )  # fmt: skip
        painter.restore()

    def _first(self, painter: QPainter, place: QRect, line: Line, font: QFont) -> None:
        """Name, the beginning of the id, and at the right the mark."""
        strong = QFont(font)
        strong.setWeight(QFont.Weight.DemiBold)
        left = place
        if line.mark:
            width = QFontMetrics(font).horizontalAdvance(line.mark) + 2 * PILL_PX
            pill = QRect(place.right() - width, place.top(), width, place.height())
            serves = line.mark == tr("In service")
            tone = self.tokens.accent if serves else self.tokens.quiet
            colour = QColor(self.tokens.bad if line.is_bad else tone)
            painter.setPen(colour)
            painter.drawRoundedRect(pill, PILL_PX, PILL_PX)
            painter.setFont(font)
            painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, line.mark)
            left = place.adjusted(0, 0, -width - PILL_PX, 0)
        short_width = QFontMetrics(font).horizontalAdvance(f" {line.short}")
        name = QFontMetrics(strong).elidedText(
            line.name, Qt.TextElideMode.ElideRight, max(0, left.width() - short_width - PILL_PX)
        )
        self._text(painter, left, name, strong, self.tokens.ink)
        behind = left.adjusted(QFontMetrics(strong).horizontalAdvance(name) + PILL_PX, 0, 0, 0)
        self._text(painter, behind, line.short, font, self.tokens.quiet)

    def _text(self, painter: QPainter, place: QRect, text: str, font: QFont, colour: str) -> None:
        painter.setFont(font)
        painter.setPen(QColor(colour))
        cut = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, cut)
