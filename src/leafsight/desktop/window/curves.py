"""What is measured while a model learns, as lines: one small picture a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QWidget

from leafsight.desktop.session.language import in_figures, tr
from leafsight.desktop.session.wording import plain
from leafsight.desktop.window.theme import Tokens

MOST_SHOWN = 4
Line = Sequence[tuple[float, float]]


class Curves(QWidget):
    """Lines side by side."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens
        self._curves: dict[str, _Curve] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)

    def show_measured(self, measured: Mapping[str, Line]) -> None:
        """The measures so far; those of fewer than two points are not drawn."""
        wanted = [name for name, line in measured.items() if len(line) > 1][:MOST_SHOWN]
        for name in [name for name in self._curves if name not in wanted]:
            curve = self._curves.pop(name)
            self._row.removeWidget(curve)
            curve.deleteLater()
        for name in wanted:
            if name not in self._curves:
                self._curves[name] = _Curve(plain(name), self._tokens)
                self._row.addWidget(self._curves[name])
            self._curves[name].show_line(measured[name])
        self.setVisible(bool(wanted))

    def wear(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = tokens
        for curve in self._curves.values():
            curve.tokens = tokens
            curve.update()


class _Curve(QWidget):
    def __init__(self, title: str, tokens: Tokens) -> None:
        super().__init__()
        self.tokens, self._title = tokens, title
        self._line: Line = ()
        self.setMinimumSize(QSize(140, 96))

    def show_line(self, line: Line) -> None:
        self._line = list(line)
        self.setAccessibleName(
            tr(
                "{title}: {now}, {first} at the beginning",
                title=self._title,
                now=f"{line[-1][1]:.4g}",
                first=f"{line[0][1]:.4g}",
            )
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        high = self.fontMetrics().height()
        place = QRectF(self.rect()).adjusted(2, high + 4, -2, -2)
        painter.setPen(QColor(self.tokens.quiet))
        last = self._line[-1][1] if self._line else 0.0
        painter.drawText(0, high - 2, f"{self._title}  {in_figures(f'{last:.4g}')}")
        painter.setPen(QPen(QColor(self.tokens.line), 1))
        painter.drawLine(place.bottomLeft(), place.bottomRight())
        if len(self._line) < 2:
            return
        at, values = zip(*self._line, strict=True)
        wide, tall = max(at) - min(at) or 1.0, max(values) - min(values) or 1.0
        points = [
            QPointF(
                place.left() + (x - min(at)) / wide * place.width(),
                place.bottom() - (y - min(values)) / tall * place.height(),
            )
            for x, y in self._line
        ]
        painter.setPen(QPen(QColor(self.tokens.accent), 2, j=Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(QPolygonF(points))
