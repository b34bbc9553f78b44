"""One photograph at its best size, with the heatmap over it as strongly as the slider says."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from leafsight.desktop.session.language import tr


class Picture(QWidget):
    """Shows a picture; ``strength`` 0..1 of the heatmap."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plain: QImage | None = None
        self._warm: QImage | None = None
        self._strength = 0.6
        self.setMinimumSize(220, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Photograph"))

    @property
    def has_heatmap(self) -> bool:
        """Whether there is one to show."""
        return self._warm is not None

    def show_picture(self, plain: QImage | None, warm: QImage | None) -> None:
        """Show this one; None shows nothing."""
        self._plain, self._warm = plain, warm
        self.update()

    def set_strength(self, percent: int) -> None:
        """How much of the heatmap lies over it, 0..100."""
        self._strength = percent / 100
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """What it would like."""
        return QSize(460, 340)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw it as large as fits."""
        if self._plain is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._plain.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(
            (self.width() - size.width()) / 2,
            (self.height() - size.height()) / 2,
            size.width(),
            size.height(),
        )
        painter.drawImage(place, self._plain)
        if self._warm is not None and self._strength > 0:
            painter.setOpacity(self._strength)
            painter.drawImage(place, self._warm)
        painter.end()
