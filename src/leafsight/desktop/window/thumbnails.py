"""Photographs in rows and columns: small pictures that are fetched when they come into sight.

Enters: tiles with a key, a caption and a mark. Leaves: which are chosen. Where a picture comes from is not
known here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from leafsight.desktop.window.theme import Tokens

Index = QModelIndex | QPersistentModelIndex
TILE_PX = 148
ROLE = Qt.ItemDataRole.UserRole
MOST_BYTES = 128 * 1024**2
"""Of the pictures that are held; those that were not looked at longest go, and are fetched again."""
Fetch = Callable[[str, Callable[[bytes], QImage], Callable[[QImage], None]], None]
"""Fetches the file of a key, makes a picture of it off the window's thread, and hands that over on it."""


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
        fetch: fetches pictures.
        scale: of the screen.
        most_bytes: of all pictures that are held.
    """

    def __init__(self, fetch: Fetch, scale: float = 1.0, *, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self._fetch, self._side_px = fetch, round(TILE_PX * scale)
        self._most = max(1, most_bytes // (4 * self._side_px**2))
        self._tiles: list[Tile] = []
        self._rows: dict[str, int] = {}
        self._pictures: OrderedDict[str, QPixmap] = OrderedDict()
        self._asked: set[str] = set()

    def show(self, tiles: Sequence[Tile]) -> None:
        """Show these."""
        if list(tiles) == self._tiles:
            return
        self.beginResetModel()
        self._tiles = list(tiles)
        self._rows = {one.key: row for row, one in enumerate(self._tiles)}
        for key in [key for key in self._pictures if key not in self._rows]:
            del self._pictures[key]
        self._asked.clear()
        self.endResetModel()

    def tile(self, index: Index) -> Tile:
        """The tile at a place."""
        return self._tiles[index.row()]

    def picture(self, tile: Tile) -> QPixmap | None:
        """Its picture; it is fetched when it is not there."""
        found = self._pictures.get(tile.key)
        if found is not None:
            self._pictures.move_to_end(tile.key)
        elif tile.key not in self._asked:
            self._asked.add(tile.key)
            self._fetch(tile.key, self._made, lambda image: self._came(tile.key, image))
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

    def _made(self, data: bytes) -> QImage:
        """The middle of a photograph; off the window's thread."""
        image, side = QImage.fromData(data), self._side_px
        if image.isNull():
            return image
        small = image.scaled(
            side,
            side,
            Qt.AspectRatioMode.KeepAspectRatioByExpanding,
            Qt.TransformationMode.SmoothTransformation,
        )
        return small.copy((small.width() - side) // 2, (small.height() - side) // 2, side, side)

    def _came(self, key: str, image: QImage) -> None:
        row = self._rows.get(key)
        if row is None or image.isNull():
            return
        self._asked.discard(key)
        self._pictures[key] = QPixmap.fromImage(image)
        while len(self._pictures) > self._most:
            self._pictures.popitem(last=False)
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
