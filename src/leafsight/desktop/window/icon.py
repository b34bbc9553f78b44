"""The picture of the program: the one of the web page, in the sizes that desktops ask for."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice, QRectF, Qt
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from leafsight.web import page_file

SIZES_PX = (16, 24, 32, 48, 64, 128, 256)


def drawing() -> bytes:
    """The SVG."""
    found = page_file("icon.svg")
    assert found is not None
    return found.body


def picture(side_px: int) -> QImage:
    """The drawing as pixels."""
    image = QImage(side_px, side_px, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(drawing()).render(painter, QRectF(0, 0, side_px, side_px))
    painter.end()
    return image


def as_png(side_px: int) -> bytes:
    """The drawing as a PNG file."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture(side_px).save(buffer, "PNG")  # type: ignore[call-overload]  # Qt's stubs know only str here
    return bytes(buffer.data().data())


def icon() -> QIcon:
    """For windows and the task bar."""
    made = QIcon()
    for side_px in SIZES_PX:
        made.addPixmap(QPixmap.fromImage(picture(side_px)))
    return made
