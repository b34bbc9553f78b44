"""What the photographs look like: question, picture and answer, one below the other."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QAbstractButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from leafsight.desktop.session.language import tr, translated
from leafsight.desktop.session.understanding import InsightPicture, Study
from leafsight.desktop.window.controls import words
from leafsight.desktop.window.pictures import WholePictures
from leafsight.desktop.window.theme import Tokens

WIDEST_PX, EDGE_PX = 900, 10


class InsightPane(QScrollArea):
    """Shows the insight pictures of a study.

    Args:
        pictures: read them.
        tokens: colours.
    """

    wants_large = Signal(object)

    def __init__(self, pictures: WholePictures, tokens: Tokens) -> None:
        super().__init__()
        self._pictures, self._tokens = pictures, tokens
        self.setWidgetResizable(True)
        self.setAccessibleName(tr("What the photographs look like"))
        self.buttons: list[PictureButton] = []
        self._study: Study | None = None

    def show_study(self, study: Study) -> None:
        """Show these, when somebody looks at this pane."""
        self._study, self.buttons = study, []
        before = self.takeWidget()
        if before is not None:
            before.deleteLater()
        if self.isVisible():
            self._fill(study)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Somebody looks."""
        if self._study is not None and self.widget() is None:
            self._fill(self._study)
        super().showEvent(event)

    def _fill(self, study: Study) -> None:
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(16, 0, 12, 12)
        column.setSpacing(6)
        for one in study.pictures:
            column.addWidget(words("heading", translated(one.question)))
            if one.path is not None:
                shown = PictureButton(one, one.path, self._pictures, self._tokens)
                shown.clicked.connect(lambda _=False, one=one: self.wants_large.emit(one))
                self.buttons.append(shown)
                column.addWidget(shown)
            column.addWidget(words("", translated(one.answer)))
            if one.note:
                column.addWidget(words("quiet", one.note))
            column.addSpacing(14)
        column.addStretch()
        self.setWidget(whole)
        self.verticalScrollBar().setValue(0)

    def wear(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = tokens
        for one in self.buttons:
            one.tokens = tokens
            one.update()


class PictureButton(QAbstractButton):
    """A picture that is pressed to be seen large; read when it is first on the screen."""

    def __init__(self, one: InsightPicture, path: Path, pictures: WholePictures, tokens: Tokens) -> None:
        super().__init__()
        self._path, self._pictures, self.tokens = path, pictures, tokens
        self._shape = QSize(max(1, one.shape_px[0]), max(1, one.shape_px[1]))
        self.setAccessibleName(translated(one.question))
        self.setAccessibleDescription(translated(one.answer))
        self.setToolTip(tr("Show large"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMaximumWidth(WIDEST_PX)
        pictures.ready.connect(self._came)

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """It keeps its shape."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """As its shape says."""
        inside = min(width, WIDEST_PX) - 2 * EDGE_PX
        return round(inside * self._shape.height() / self._shape.width()) + 2 * EDGE_PX

    def sizeHint(self) -> QSize:  # noqa: N802
        """What it would like."""
        return QSize(640, self.heightForWidth(640))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """The picture on white, as it was drawn."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 10, 10)
        painter.fillPath(path, QColor("white"))
        focus = self.hasFocus()
        painter.setPen(QPen(QColor(self.tokens.accent if focus else self.tokens.line), 2 if focus else 1))
        painter.drawPath(path)
        picture = self._pictures.get(self._path)
        if picture is not None:
            painter.drawImage(QRectF(self.rect()).adjusted(EDGE_PX, EDGE_PX, -EDGE_PX, -EDGE_PX), picture)
        elif self._pictures.cannot_read(self._path):
            painter.setPen(QColor("#53605a"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("cannot be read"))
        painter.end()

    def _came(self, name: str) -> None:
        if name == str(self._path):
            self.update()
