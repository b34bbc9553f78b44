"""Classes with their counts, and what was not looked at."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QObject, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem, QVBoxLayout, QWidget

from leafsight.desktop.session.language import in_figures, tr, trn
from leafsight.desktop.session.understanding import Study
from leafsight.desktop.window.controls import words
from leafsight.desktop.window.rows import NOWHERE, Index
from leafsight.desktop.window.theme import Tokens

COUNTED = Qt.ItemDataRole.UserRole
EDGE_PX, BAR_PX = 8, 8


class ClassesPane(QWidget):
    """Shows how many usable photographs each class has, the largest first."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._said = words("verdict")
        self._model = _Classes(self)
        self.list = QListView()
        self._painter = _ClassPainter(tokens, self.list)
        self.list.setModel(self._model)
        self.list.setItemDelegate(self._painter)
        self.list.setUniformItemSizes(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setAccessibleName(tr("Classes"))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 0, 0, 0)
        whole.addWidget(self._said)
        whole.addWidget(self.list, 1)

    def show_study(self, study: Study) -> None:
        """Show its classes."""
        self._said.setText(
            trn(
                "{photographs} usable photographs in {number} class",
                "{photographs} usable photographs in {number} classes",
                len(study.class_counts),
                photographs=f"{study.usable:,}",
            )
        )
        ordered = sorted(study.class_counts.items(), key=lambda item: (-item[1], item[0]))
        self._model.show(ordered)

    def wear(self, tokens: Tokens) -> None:
        """Other colours."""
        self._painter.tokens = tokens
        self.list.doItemsLayout()


class _Classes(QAbstractListModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[str, int]] = []
        self.most = 1

    def show(self, rows: list[tuple[str, int]]) -> None:
        self.beginResetModel()
        self._rows, self.most = rows, max([count for _, count in rows] or [1])
        self.endResetModel()

    def rowCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self._rows):
            return None
        name, number = self._rows[index.row()]
        if role == COUNTED:
            return name, number, number / self.most
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{name}: {trn('{number} photograph', '{number} photographs', number)}"
        return None


class _ClassPainter(QStyledItemDelegate):
    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tokens = tokens

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        return QSize(200, QFontMetrics(option.font).height() + BAR_PX + 3 * EDGE_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        name, number, share = index.data(COUNTED)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = option.rect.adjusted(2 * EDGE_PX, EDGE_PX, -2 * EDGE_PX, -EDGE_PX)
        metrics = QFontMetrics(option.font)
        line = QRect(place.left(), place.top(), place.width(), metrics.height())
        said = in_figures(f"{number:,}")
        painter.setFont(option.font)
        painter.setPen(QColor(self.tokens.quiet))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, said)
        painter.setPen(QColor(self.tokens.ink))
        wide = line.width() - metrics.horizontalAdvance(said) - EDGE_PX
        cut = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, wide)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, cut)
        bar = QRectF(place.left(), line.bottom() + EDGE_PX / 2, place.width(), BAR_PX)
        for length, colour in ((1.0, self.tokens.line), (share, self.tokens.accent)):
            path = QPainterPath()
            path.addRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * length, BAR_PX), 4, 4)
            painter.fillPath(path, QColor(colour))
        painter.restore()


class LimitsPane(QWidget):
    """Says what was not looked at, and why."""

    def __init__(self) -> None:
        super().__init__()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 0, 0, 0)
        whole.addWidget(words("verdict", tr("What was not looked at")))
        self._said = words()
        whole.addWidget(self._said)
        whole.addStretch()

    def show_study(self, study: Study) -> None:
        """Show its limits."""
        self._said.setText("\n\n".join(study.not_looked))
