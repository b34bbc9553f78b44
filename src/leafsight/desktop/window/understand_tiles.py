"""The cases of a finding as tiles: one photograph or two that belong together, names, what is the matter.

Thousands are shown as quickly as ten: only those on the screen are drawn, and only their pictures are read.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from PySide6.QtCore import QAbstractListModel, QObject, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetrics,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QTextLayout,
    QTextOption,
    QTransform,
)
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from leafsight.desktop.session.language import tr, translated, trn
from leafsight.desktop.session.understanding import Cases, Problem, ProblemCase, Seen, Study, case_in_words
from leafsight.desktop.window.pictures import SmallPictures
from leafsight.desktop.window.rows import NOWHERE, PICTURE, Index
from leafsight.desktop.window.theme import Tokens

TILE = Qt.ItemDataRole.UserRole
GAP_PX, EDGE_PX = 4, 8
SIDE_LINES = 9
"""A picture is as high as so many lines of text: with large text the names under it are not cut shorter."""
READ_PX = 192
LETTERS, MOST_TEXT_LINES = 17, 6
"""Letters that fit under a picture in a line, and lines for a long text."""
MOST_SIDE_BY_SIDE = 2


class Tiles(QAbstractListModel):
    """The cases of one finding, in their order."""

    def __init__(self, pictures: SmallPictures, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._study: Study | None = None
        self._cases = Cases()
        self._wanted: dict[str, set[int]] = defaultdict(set)
        self.side_by_side = self.text_lines = 1
        pictures.ready.connect(self._picture_came)

    def show(self, study: Study | None, problem: Problem | None) -> None:
        """Show the cases of this finding instead."""
        self.beginResetModel()
        self._study, self._wanted = study, defaultdict(set)
        self._cases = Cases() if problem is None else problem.cases
        most = self._cases.most_photographs
        self.side_by_side = max(1, min(MOST_SIDE_BY_SIDE, most))
        lines = -(-self._cases.longest_text // (LETTERS * self.side_by_side))
        self.text_lines = min(MOST_TEXT_LINES, lines + (most > MOST_SIDE_BY_SIDE))
        self.endResetModel()

    def seen(self, row: int) -> list[Seen]:
        """The photographs of a case."""
        if self._study is None or not 0 <= row < len(self._cases):
            return []
        return [self._study.photographs[one] for one in self._cases[row].rows]

    def words(self, row: int) -> str:
        """What is the matter with a case."""
        return translated(self._cases[row].text) if 0 <= row < len(self._cases) else ""

    def rowCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802
        """How many cases there are."""
        return 0 if parent.isValid() else len(self._cases)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The case, its pictures, and the words that a screen reader speaks."""
        row = index.row()
        if self._study is None or not 0 <= row < len(self._cases):
            return None
        if role == TILE:
            return self._cases[row], self.seen(row)
        if role == PICTURE:
            return [self._picture(row, one) for one in self.seen(row)[: self.side_by_side]]
        if role in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.AccessibleTextRole,
            Qt.ItemDataRole.ToolTipRole,
        ):
            return case_in_words(self._study, self._cases[row])
        return None

    def _picture(self, row: int, one: Seen) -> QImage | str | None:
        """The picture; words where there is none to come; None while it is being read."""
        path = one.small or one.path
        found = self._pictures.get(path)
        if found is None and self._pictures.cannot_read(path):
            return tr("cannot be read")
        self._wanted[str(path)].add(row)
        return found

    def _picture_came(self, name: str) -> None:
        for row in self._wanted.pop(name, ()):
            self.dataChanged.emit(self.index(row), self.index(row), [PICTURE])


class TilePainter(QStyledItemDelegate):
    """Draws tiles in the colours of ``tokens``; all of a finding are equally large."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tokens = tokens

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """As wide as its pictures."""
        model = index.model()
        count, lines = (model.side_by_side, model.text_lines) if isinstance(model, Tiles) else (1, 1)
        high = QFontMetrics(option.font).height()
        side = SIDE_LINES * high
        wide = count * side + (count - 1) * GAP_PX + 2 * EDGE_PX
        return QSize(wide, side + (1 + lines) * high + 3 * EDGE_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One tile; nothing in it is read from a disk."""
        found = index.data(TILE)
        if found is None:
            return
        case, seen = found
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._ground(painter, option)
        top, left = option.rect.top() + EDGE_PX, option.rect.left() + EDGE_PX
        high = QFontMetrics(option.font).height()
        side = SIDE_LINES * high
        for number, picture in enumerate(index.data(PICTURE)):
            place = QRect(left + number * (side + GAP_PX), top, side, side)
            self._picture(painter, place, picture, option.font)
            name = QRect(place.left(), place.bottom() + EDGE_PX, side, high)
            cut = Qt.TextElideMode.ElideMiddle
            self._line(painter, name, seen[number].path.name, self.tokens.ink, option.font, cut)
        wide = option.rect.width() - 2 * EDGE_PX
        place = QRect(left, top + side + EDGE_PX + high, wide, high)
        lines = (option.rect.bottom() - place.top()) // high
        for line in _wrapped(self._text(case, len(seen)), option.font, wide, lines):
            self._line(painter, place, line, self.tokens.quiet, option.font, Qt.TextElideMode.ElideRight)
            place.translate(0, high)
        painter.restore()

    def _ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        path = QPainterPath()
        path.addRoundedRect(QRectF(option.rect).adjusted(1, 1, -1, -1), 8, 8)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillPath(path, QColor(self.tokens.tint))
        if selected:
            painter.setPen(QPen(QColor(self.tokens.accent), 2))
            painter.drawPath(path)

    def _picture(self, painter: QPainter, place: QRect, picture: QImage | str | None, font: QFont) -> None:
        path = QPainterPath()
        path.addRoundedRect(QRectF(place), 6, 6)
        painter.fillPath(path, QColor(self.tokens.line))
        if isinstance(picture, QImage):
            brush = QBrush(picture)
            shift = QTransform.fromTranslate(place.x(), place.y())
            brush.setTransform(
                shift.scale(place.width() / picture.width(), place.height() / picture.height())
            )
            painter.fillPath(path, brush)
        elif picture is not None:
            painter.setFont(font)
            painter.setPen(QColor(self.tokens.quiet))
            middle = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(place.adjusted(EDGE_PX, 0, -EDGE_PX, 0), middle, picture)

    def _line(
        self,
        painter: QPainter,
        place: QRect,
        text: str,
        colour: str,
        font: QFont,
        cut_at: Qt.TextElideMode,
    ) -> None:
        painter.setFont(font)
        painter.setPen(QColor(colour))
        cut = QFontMetrics(font).elidedText(text, cut_at, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, cut)

    def _text(self, case: ProblemCase, photographs: int) -> str:
        more = photographs - MOST_SIDE_BY_SIDE
        if more <= 0:
            return translated(case.text)
        also = trn("and {number} more photograph", "and {number} more photographs", more)
        return f"{translated(case.text)} · {also}" if case.text else also


def _wrapped(text: str, font: QFont, wide: int, most: int) -> list[str]:
    """At most so many lines, broken within a word that is longer than one; the last has the rest."""
    layout = QTextLayout(text, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    starts: list[int] = []
    while len(starts) < most and (line := layout.createLine()).isValid():
        line.setLineWidth(wide)
        starts.append(line.textStart())
    layout.endLayout()
    return [text[start:end].strip() for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
