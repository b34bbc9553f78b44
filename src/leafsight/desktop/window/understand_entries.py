"""The list on the left: findings, the worst first, then pictures, classes, and what was not looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from PySide6.QtCore import QAbstractListModel, QObject, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from leafsight.desktop.session.language import tr, trn
from leafsight.desktop.session.understanding import Problem, Study, kind_in_words, weight_in_words
from leafsight.desktop.session.wording import number
from leafsight.desktop.window.rows import NOWHERE, Index
from leafsight.desktop.window.theme import Tokens

ENTRY = Qt.ItemDataRole.UserRole
EDGE_PX, LINE_PX, MARK_PX = 10, 3, 5
Kind = Literal["problem", "pictures", "classes", "limits"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row.

    Attributes:
        kind: of what it opens.
        title: in a few words.
        asks: what it asks for, small, in a colour of its own.
        number: of what it is about; None where that says nothing.
        counted: the same in words.
        problem: that it opens.
    """

    kind: Kind
    title: str
    asks: str
    number: int | None
    counted: str
    problem: Problem | None = None

    @property
    def weight(self) -> str:
        """Of the finding; empty for the rest."""
        return "" if self.problem is None else self.problem.weight


def entries_of(study: Study) -> list[Entry]:
    """Everything that can be opened of a study."""
    found = [
        Entry(
            "problem",
            kind_in_words(one),
            weight_in_words(one.weight),
            one.count or None,
            trn("{number} photograph", "{number} photographs", one.count) if one.count else "",
            one,
        )
        for one in study.problems
    ]
    about = tr("About the collection")
    number = len(study.pictures)
    counted = trn("{number} question", "{number} questions", number)
    found.append(Entry("pictures", tr("What the photographs look like"), about, number, counted))
    number = len(study.class_counts)
    counted = trn("{number} class", "{number} classes", number)
    found.append(Entry("classes", tr("Classes"), about, number, counted))
    if study.not_looked:
        number = len(study.not_looked)
        counted = trn("{number} note", "{number} notes", number)
        found.append(Entry("limits", tr("What was not looked at"), about, number, counted))
    return found


def weight_colour(weight: str, tokens: Tokens) -> str:
    """Of the word that says what a finding asks for."""
    return {"mend": tokens.bad, "look": tokens.warn}.get(weight, tokens.quiet)


class Entries(QAbstractListModel):
    """The rows as Qt wants to see them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []

    def show(self, entries: list[Entry]) -> None:
        """Show these instead."""
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802
        """How many are shown."""
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The entry, and the words that a screen reader speaks."""
        if not 0 <= index.row() < len(self.entries):
            return None
        one = self.entries[index.row()]
        if role == ENTRY:
            return one
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return ". ".join(part for part in (one.title, one.asks, one.counted) if part)
        return None


class EntryPainter(QStyledItemDelegate):
    """Draws rows in the colours of ``tokens``."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tokens = tokens

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """All rows are two lines high."""
        return QSize(220, 2 * (QFontMetrics(option.font).height() + LINE_PX) + 2 * EDGE_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One row."""
        one = index.data(ENTRY)
        if not isinstance(one, Entry):
            return
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(self.tokens.tint))
        colour = weight_colour(one.weight, self.tokens)
        mark = QRect(option.rect.left(), option.rect.top(), MARK_PX, option.rect.height())
        if selected:
            painter.fillRect(mark, QColor(self.tokens.accent))
        strong = QFont(option.font)
        strong.setWeight(QFont.Weight.DemiBold)
        place = option.rect.adjusted(EDGE_PX + MARK_PX, EDGE_PX, -EDGE_PX, -EDGE_PX)
        high = QFontMetrics(option.font).height() + LINE_PX
        said = "" if one.number is None else number(one.number)
        wide = place.width() - QFontMetrics(option.font).horizontalAdvance(said) - EDGE_PX
        self._line(painter, QRect(place.left(), place.top(), wide, high), one.title, strong, self.tokens.ink)
        below = QRect(place.left(), place.top() + high, place.width(), high)
        self._line(painter, below, one.asks, option.font, colour)
        painter.setPen(QColor(self.tokens.quiet))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRect(place.left(), place.top(), place.width(), high), right, said)
        painter.setPen(QColor(self.tokens.line))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        painter.restore()

    def _line(self, painter: QPainter, place: QRect, text: str, font: QFont, colour: str) -> None:
        painter.setFont(font)
        painter.setPen(QColor(colour))
        cut = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, cut)
