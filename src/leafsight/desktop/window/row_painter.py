"""How one row of the list is drawn: the small picture, the answer, how sure, the name of the file."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetrics, QImage, QPainter, QPainterPath, QTransform
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from leafsight.desktop.session import Photograph, headline, sureness
from leafsight.desktop.session.language import tr, translated
from leafsight.desktop.window.pictures import SMALL_PX
from leafsight.desktop.window.rows import PHOTOGRAPH, PICTURE, PLANT, WORD, Index
from leafsight.desktop.window.theme import Tokens

EDGE_PX, GAP_PX, LINE_PX = 10, 12, 3
MARK_PX = 5


class RowPainter(QStyledItemDelegate):
    """Draws rows in the colours of ``tokens``."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tokens = tokens

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """All rows are as high as the picture or three lines, whichever is more."""
        metrics = QFontMetrics(option.font)
        return QSize(240, max(SMALL_PX, 3 * (metrics.height() + LINE_PX)) + 2 * EDGE_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One row; nothing in it is read from a disk."""
        one = index.data(PHOTOGRAPH)
        if not isinstance(one, Photograph):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        state = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(self.tokens.tint))
        if selected:
            bar = QRect(option.rect.left(), option.rect.top(), MARK_PX, option.rect.height())
            painter.fillRect(bar, QColor(self.tokens.accent))
        place = option.rect.adjusted(EDGE_PX + MARK_PX, EDGE_PX, -EDGE_PX, -EDGE_PX)
        picture = QRect(place.left(), place.top() + (place.height() - SMALL_PX) // 2, SMALL_PX, SMALL_PX)
        self._picture(painter, picture, index.data(PICTURE))
        words = place.adjusted(SMALL_PX + GAP_PX, 0, 0, 0)
        self._words(painter, words, one, index.data(WORD), index.data(PLANT), option.font)
        painter.restore()

    def _picture(self, painter: QPainter, place: QRect, picture: QImage | None) -> None:
        path = QPainterPath()
        path.addRoundedRect(QRectF(place), 8, 8)
        painter.fillPath(path, QColor(self.tokens.line))
        if picture is None:
            return
        brush = QBrush(picture)
        shift = QTransform.fromTranslate(place.x(), place.y())
        brush.setTransform(shift.scale(place.width() / picture.width(), place.height() / picture.height()))
        painter.fillPath(path, brush)

    def _words(
        self, painter: QPainter, place: QRect, one: Photograph, word: str, plant: str, font: QFont
    ) -> None:
        strong = QFont(font)
        strong.setWeight(QFont.Weight.DemiBold)
        second = (font, self.tokens.accent, word) if word else (font, self.tokens.quiet, _second(one))
        lines = [(strong, self._colour(one), self._first(one)), second]
        lines.append((font, self.tokens.quiet, one.path.name))
        shown = [line for line in lines if line[2]]
        high = QFontMetrics(font).height() + LINE_PX
        top = place.top() + (place.height() - high * len(shown)) // 2
        for number, (face, colour, text) in enumerate(shown):
            line = QRect(place.left(), top + number * high, place.width(), high)
            if number == len(shown) - 1 and plant:
                self._draw(painter, line, font, self.tokens.accent, plant, Qt.AlignmentFlag.AlignRight)
                line.setRight(line.right() - QFontMetrics(font).horizontalAdvance(plant) - GAP_PX)
            self._draw(painter, line, face, colour, text, Qt.AlignmentFlag.AlignLeft)

    def _draw(
        self, painter: QPainter, line: QRect, face: QFont, colour: str, text: str, side: Qt.AlignmentFlag
    ) -> None:
        painter.setFont(face)
        painter.setPen(QColor(colour))
        cut = QFontMetrics(face).elidedText(text, Qt.TextElideMode.ElideMiddle, line.width())
        painter.drawText(line, side | Qt.AlignmentFlag.AlignVCenter, cut)

    def _first(self, one: Photograph) -> str:
        return tr("Waiting") if one.prediction is None else headline(one.prediction)

    def _colour(self, one: Photograph) -> str:
        if one.prediction is None:
            return self.tokens.quiet
        if one.prediction.is_diagnosis:
            return self.tokens.ink
        return self.tokens.bad if one.prediction.verdict == "unreadable" else self.tokens.warn


def _second(one: Photograph) -> str:
    if one.prediction is None:
        return ""
    return sureness(one.prediction) or translated(one.prediction.reason)
