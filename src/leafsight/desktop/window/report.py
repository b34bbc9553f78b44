"""A report with pictures as PDF: drawn beside the window, page by page, so that its length does not matter.

Enters: what is reported. Leaves: one file, whole or not there. Text stays text: it can be searched and
copied. What stands in it is known to the session (``reporting``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QFile, QFileDevice, QIODevice, QLocale, QMarginsF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QTextLayout,
    QTextOption,
)

from leafsight.desktop.session import Line, Look, Report, block, first_page
from leafsight.desktop.session.language import tr
from leafsight.desktop.window.pictures import pictures_of
from leafsight.desktop.window.theme import LIGHT
from leafsight.errors import DiskFullError, StorageError
from leafsight.images import DecodeLimits
from leafsight.storage import replacing

DPI = 144
MARGIN_MM = 18.0
PICTURE_MM, GAP_MM, BETWEEN_MM = 40.0, 5.0, 6.0
PICTURE_PX = 360
"""On the longest side: some 200 dots an inch on paper."""
HEATMAP_STRENGTH = 0.6
FONTS: dict[Look, tuple[float, QFont.Weight, str]] = {
    "title": (20, QFont.Weight.Bold, LIGHT.ink), "heading": (12.5, QFont.Weight.DemiBold, LIGHT.ink),
    "strong": (12.5, QFont.Weight.DemiBold, LIGHT.ink), "sure": (10.5, QFont.Weight.Normal, LIGHT.accent),
    "text": (9.5, QFont.Weight.Normal, LIGHT.ink), "quiet": (9, QFont.Weight.Normal, LIGHT.quiet),
}  # fmt: skip
ABOVE_PT: dict[Look, float] = {"heading": 12.0}
LETTER_TERRITORIES = frozenset("BZ CA CL CO CR GT MX NI PA PH PR SV US VE".split())  # noqa: SIM905
"""Where US Letter is the usual size, as ``paperSize`` in supplementalData.xml of the Unicode CLDR says."""


def usual_paper(locale: QLocale) -> QPageSize:
    """A4, or US Letter where that is usual."""
    letter = QLocale.territoryToCode(locale.territory()) in LETTER_TERRITORIES
    return QPageSize(QPageSize.PageSizeId.Letter if letter else QPageSize.PageSizeId.A4)


def write_report(
    report: Report,
    target: Path,
    limits: DecodeLimits,
    told: Callable[[int, int], None],
    paper: QPageSize | None = None,
) -> int:
    """Write it; on any thread.

    Args:
        report: what stands in it.
        target: the file; one that is there is replaced once the new one is whole.
        limits: of the decoder.
        told: hears after each photograph how many are done, and of how many. May raise to stop.
        paper: its size; the usual one of this place without.

    Returns:
        How many pages it has.

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: it cannot be written; an old file stays.
    """
    with replacing(target) as file:
        device = QFile()
        if not device.open(file.fileno(), QIODevice.OpenModeFlag.WriteOnly):
            raise StorageError(f"{target}: {device.errorString()}")
        pages = _draw(report, device, limits, told, paper or usual_paper(QLocale()))
        device.flush()
        error, reason = device.error(), device.errorString()
        device.close()
        if error == QFileDevice.FileError.ResourceError:
            raise DiskFullError(f"no space left while writing {target}", hint="free some space and try again")
        if error != QFileDevice.FileError.NoError:
            raise StorageError(f"{target}: {reason}")
    return pages


def _draw(
    report: Report,
    device: QIODevice,
    limits: DecodeLimits,
    told: Callable[[int, int], None],
    paper: QPageSize,
) -> int:
    writer = QPdfWriter(device)
    writer.setTitle(report.title)
    writer.setCreator("leafsight")
    writer.setResolution(DPI)
    margins = QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM)
    writer.setPageLayout(
        QPageLayout(paper, QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter)
    )
    painter = QPainter(writer)
    try:
        pages = _Pages(writer, painter)
        pages.text(first_page(report))
        if report.rows:
            pages.turn()
        for done, row in enumerate(report.rows, 1):
            pictures = pictures_of(
                row.path, row.prediction.heatmap, limits, PICTURE_PX, strength=HEATMAP_STRENGTH
            )
            pages.block([one for one in pictures if one is not None], block(row, report.model))
            told(done, len(report.rows))
    finally:
        painter.end()  # the writer must not outlive what it writes to
    return pages.number


class _Pages:
    """Fills pages from the top; a block stands on one page."""

    def __init__(self, writer: QPdfWriter, painter: QPainter) -> None:
        self._writer, self._painter = writer, painter
        self._wide, self._high = float(writer.width()), float(writer.height())
        self._foot = self._high - _mm(7)
        self._top = 0.0
        self.number = 1
        self._number_page()

    def text(self, lines: Sequence[Line]) -> None:
        """Lines over the whole width, on as many pages as they need."""
        for line in lines:
            self._lines([line], 0.0, self._wide)

    def block(self, pictures: Sequence[QImage], lines: Sequence[Line]) -> None:
        """Pictures beside each other, and the words on their right."""
        side = _mm(PICTURE_MM)
        square = QSize(round(side), round(side))
        sizes = [one.size().scaled(square, Qt.AspectRatioMode.KeepAspectRatio) for one in pictures]
        left = sum(size.width() + _mm(GAP_MM) for size in sizes) if sizes else 0.0
        laid = [self._lay(line, self._wide - left) for line in lines]
        high = max([*(float(size.height()) for size in sizes), sum(part[1] for part in laid)])
        if self._top > 0 and self._top + high > self._foot:
            self.turn()
        at = 0.0
        for picture, size in zip(pictures, sizes, strict=True):
            self._painter.drawImage(QRectF(at, self._top, size.width(), size.height()), picture)
            at += size.width() + _mm(GAP_MM)
        top = self._top
        self._lines(lines, left, self._wide - left)
        self._top = max(self._top, top + high) + _mm(BETWEEN_MM)

    def turn(self) -> None:
        """To the next page, unless this one is empty."""
        if self._top > 0:
            self._writer.newPage()
            self.number += 1
            self._top = 0.0
            self._number_page()

    def _lines(self, lines: Sequence[Line], left: float, wide: float) -> None:
        for line in lines:
            layout, high = self._lay(line, wide)
            if self._top > 0 and self._top + high > self._foot:
                self.turn()
            self._painter.setPen(QColor(FONTS[line.look][2]))
            layout.draw(self._painter, QPointF(left, self._top + _above(line.look)))
            self._top += high

    def _lay(self, line: Line, wide: float) -> tuple[QTextLayout, float]:
        points, weight, _ = FONTS[line.look]
        font = QFont()
        font.setPointSizeF(points)
        font.setWeight(weight)
        font.setFeature(QFont.Tag("liga"), 0)  # "fi" as one sign is not found by who searches for "first"
        layout = QTextLayout(line.text, font, self._writer)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.beginLayout()
        high = 0.0
        while (one := layout.createLine()).isValid():
            one.setLineWidth(wide)
            one.setPosition(QPointF(0, high))
            high += one.height()
        layout.endLayout()
        return layout, high + _above(line.look) + _pt(3)

    def _number_page(self) -> None:
        layout, high = self._lay(Line("quiet", tr("Page {number}", number=self.number)), self._wide)
        self._painter.setPen(QColor(FONTS["quiet"][2]))
        layout.draw(self._painter, QPointF(0, self._high - high))


def _above(look: Look) -> float:
    return _pt(ABOVE_PT.get(look, 0.0))


def _pt(points: float) -> float:
    return points * DPI / 72


def _mm(length: float) -> float:
    return length * DPI / 25.4
