"""Photographs in rows and columns: small pictures that are fetched when they come into sight.

Enters: tiles with a key, a caption and a mark. Leaves: which are chosen. Where a picture comes from is not
known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from leafsight.desktop.window.theme import Tokens

Index = QModelIndex | QPersistentModelIndex
TILE_PX = 148
ROLE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class Tile:
    """One photograph.

    Attributes:
        key: finds its picture.
        caption: one or two short lines under it.
        spoken: all that is known of it, for who does not see it.
        mark: ``warn``, ``bad`` or nothing: how it is framed.
    """

    key: str
    caption: str
    spoken: str
    mark: str = ""


class Tiles(QAbstractListModel):
    """The tiles of a grid.

    Args:
        fetch: fetches the picture of a key; calls back with the bytes of a file on the window's thread.
    """

    def __init__(self, fetch: Callable[[str, Callable[[bytes], None]], None]) -> None:
        super().__init__()
        self._fetch = fetch
        self._tiles: list[Tile] = []
        self._pictures: dict[str, QPixmap] = {}
        self._asked: set[str] = set()

    def show(self, tiles: Sequence[Tile]) -> None:
        """Show these."""
        if list(tiles) == self._tiles:
            return
        self.beginResetModel()
        self._tiles = list(tiles)
        kept = {one.key for one in self._tiles}
        self._pictures = {key: one for key, one in self._pictures.items() if key in kept}
        self._asked &= set(self._pictures)
        self.endResetModel()

    def tile(self, index: Index) -> Tile:
        """The tile at a place."""
        return self._tiles[index.row()]

    def picture(self, tile: Tile) -> QPixmap | None:
        """Its picture; it is fetched when it is not there."""
        found = self._pictures.get(tile.key)
        if found is None and tile.key not in self._asked:
            self._asked.add(tile.key)
            self._fetch(tile.key, lambda data: self._came(tile.key, data))
        return found

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802
        """How many."""
        return 0 if parent is not None and parent.isValid() else len(self._tiles)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Caption, words for who does not see it, and the tile."""
        tile = self._tiles[index.row()]
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return tile.spoken
        if role == Qt.ItemDataRole.DisplayRole:
            return tile.caption
        return tile if role == ROLE else None

    def _came(self, key: str, data: bytes) -> None:
        image = QImage.fromData(data)
        if image.isNull() or not any(one.key == key for one in self._tiles):
            return
        side = TILE_PX * 2
        small = image.scaled(
            side,
            side,
            Qt.AspectRatioMode.KeepAspectRatioByExpanding,
            Qt.TransformationMode.SmoothTransformation,
        )
        cut = small.copy((small.width() - side) // 2, (small.height() - side) // 2, side, side)
        self._pictures[key] = QPixmap.fromImage(cut)
        for row, tile in enumerate(self._tiles):
            if tile.key == key:
                self.dataChanged.emit(self.index(row), self.index(row))


class TilePainter(QStyledItemDelegate):
    """Draws a tile: the picture, its frame, its caption."""

    def __init__(self, tokens: Tokens, tiles: Tiles, parent: QWidget) -> None:
        super().__init__(parent)
        self.tokens = tokens
        self._tiles = tiles

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """All are of one size, with the text."""
        return QSize(TILE_PX + 12, TILE_PX + 12 + 2 * option.fontMetrics.height() + 6)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw it."""
        tile = self._tiles.tile(index)
        tokens, place = self.tokens, QRect(option.rect).adjusted(4, 4, -4, -4)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.tint if chosen else tokens.card))
        painter.drawRoundedRect(place, 8, 8)
        square = QRect(place.left() + 2, place.top() + 2, TILE_PX, TILE_PX)
        picture = self._tiles.picture(tile)
        if picture is not None:
            painter.drawPixmap(square, picture)
        else:
            painter.setBrush(QColor(tokens.line))
            painter.drawRect(square)
        colour = {"warn": tokens.warn, "bad": tokens.bad}.get(tile.mark)
        if chosen or focused or colour:
            wide = 3 if chosen or focused else 2
            painter.setPen(QPen(QColor(tokens.accent if chosen or focused else colour), wide))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(place, 8, 8)
        painter.setPen(QColor(colour or tokens.ink))
        lines = tile.caption.split("\n")[:2]
        for number, line in enumerate(lines):
            below = QRect(
                place.left() + 4,
                square.bottom() + 2 + number * option.fontMetrics.height(),
                place.width() - 8,
                option.fontMetrics.height(),
            )
            if number:
                painter.setPen(QColor(tokens.quiet))
            shown = option.fontMetrics.elidedText(line, Qt.TextElideMode.ElideRight, below.width())
            painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()


def tile_view(tiles: Tiles, painter_tokens: Tokens, name: str) -> tuple[QListView, TilePainter]:
    """A grid over these tiles.

    Args:
        tiles: to show.
        painter_tokens: colours.
        name: for who does not see it.
    """
    view = QListView()
    view.setModel(tiles)
    view.setViewMode(QListView.ViewMode.IconMode)
    view.setResizeMode(QListView.ResizeMode.Adjust)
    view.setMovement(QListView.Movement.Static)
    view.setUniformItemSizes(True)
    view.setSpacing(4)
    view.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
    view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
    view.setAccessibleName(name)
    painter = TilePainter(painter_tokens, tiles, view)
    view.setItemDelegate(painter)
    return view, painter
