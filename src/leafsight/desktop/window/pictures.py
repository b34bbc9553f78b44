"""Photographs as small and large pictures, read beside the window.

Enters: paths. Leaves: pictures, when they are ready; what was asked last comes first, since that is what is
on screen. The small ones are held up to a bound of bytes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, Signal
from PySide6.QtGui import QImage

from leafsight.errors import LeafsightError
from leafsight.images import DecodeLimits, decode, overlay_heatmap, read_photo, resize
from leafsight.storage import os_errors_translated, write_bytes

SMALL_PX = 72
LARGE_PX = 900
MOST_SMALL_BYTES = 160 * 1024**2
MOST_WAITING = 400
END_WITHIN_S = 5.0


def as_picture(rgb: np.ndarray) -> QImage:
    """A picture of its own memory from ``uint8[height, width, 3]``."""
    height, width, _ = rgb.shape
    solid = np.ascontiguousarray(rgb)
    return QImage(solid.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def keep_pasted(picture: QImage, path: Path) -> None:
    """Write a picture that lay in the clipboard as PNG, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")  # type: ignore[call-overload]  # its stub says bytes, which it refuses
    with os_errors_translated(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, bytes(data.data()))


def fitted(rgb: np.ndarray, longest_px: int) -> np.ndarray:
    """Not longer than that; never enlarged."""
    height, width, _ = rgb.shape
    scale = longest_px / max(height, width)
    if scale >= 1:
        return rgb
    small: np.ndarray = resize(rgb, max(1, round(width * scale)), max(1, round(height * scale)))
    return small


def pictures_of(
    path: Path,
    heatmap: np.ndarray | None,
    limits: DecodeLimits,
    longest_px: int,
    *,
    strength: float = 1.0,
) -> tuple[QImage | None, QImage | None]:
    """A photograph, and the same under its heatmap; None for what there is not, or cannot be read."""
    try:
        data = read_photo(path, limits)
        rgb = fitted(decode(data, limits=limits, wanted_side_px=longest_px // 2), longest_px)
    except LeafsightError:
        return None, None
    warm = None if heatmap is None else as_picture(overlay_heatmap(rgb, heatmap, strength=strength))
    return as_picture(rgb), warm


class _Reading(QObject):
    """A thread that reads what is wanted until it is closed; ``_changed`` guards what both sides touch."""

    def __init__(self, limits: DecodeLimits, parent: QObject | None) -> None:
        super().__init__(parent)
        self._limits = limits
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, name=type(self).__name__, daemon=True)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(END_WITHIN_S)

    def _read(self) -> None:
        raise NotImplementedError


class _KeptPictures(_Reading):
    """Pictures by their path, those that were looked at last up to a bound of bytes.

    Args:
        limits: of the decoder.
    """

    ready = Signal(str)

    def __init__(self, limits: DecodeLimits, parent: QObject | None = None) -> None:
        super().__init__(limits, parent)
        self._held: OrderedDict[str, QImage | None] = OrderedDict()
        self._bytes = 0
        self._wanted: deque[str] = deque(maxlen=MOST_WAITING)  # who scrolls on does not want what was passed

    @property
    def held_bytes(self) -> int:
        """Of all that are held."""
        return self._bytes

    def get(self, path: Path) -> QImage | None:
        """The picture, if it is there; otherwise it is read, and ``ready`` names its path."""
        name = str(path)
        with self._changed:
            if name in self._held:
                self._held.move_to_end(name)
                return self._held[name]
            if name not in self._wanted:
                self._wanted.append(name)
                self._changed.notify()
        return None

    def cannot_read(self, path: Path) -> bool:
        """Whether it was tried, and there is no picture."""
        with self._changed:
            return self._held.get(str(path), ...) is None

    def _read(self) -> None:
        while True:
            with self._changed:
                while not self._ended and not self._wanted:
                    self._changed.wait()
                if self._ended:
                    return
                name = self._wanted.pop()
            picture = self._made(Path(name))
            with self._changed:
                self._held[name] = picture  # None is remembered as well: it is not read again and again
                self._bytes += 0 if picture is None else picture.sizeInBytes()
                while self._bytes > MOST_SMALL_BYTES:
                    _, old = self._held.popitem(last=False)
                    self._bytes -= 0 if old is None else old.sizeInBytes()
            self.ready.emit(name)

    def _made(self, path: Path) -> QImage | None:
        raise NotImplementedError


class SmallPictures(_KeptPictures):
    """Thumbnails: the middle of each photograph.

    Args:
        limits: of the decoder.
        scale: of the screen.
        side_px: of a thumbnail.
    """

    def __init__(
        self,
        limits: DecodeLimits,
        scale: float = 1.0,
        parent: QObject | None = None,
        *,
        side_px: int = SMALL_PX,
    ) -> None:
        super().__init__(limits, parent)
        self._side_px = round(side_px * scale)
        self._thread.start()

    def _made(self, path: Path) -> QImage | None:
        try:
            rgb = decode(
                read_photo(path, self._limits), limits=self._limits, wanted_side_px=self._side_px // 2
            )
        except LeafsightError:
            return None
        high, wide, _ = rgb.shape
        side = min(high, wide)
        top, left = (high - side) // 2, (wide - side) // 2
        middle = rgb[top : top + side, left : left + side]
        # In the size and the format in which it is drawn: scrolling then copies, and works nothing out.
        small = as_picture(resize(np.ascontiguousarray(middle), self._side_px, self._side_px))
        return small.convertToFormat(QImage.Format.Format_RGB32)


class WholePictures(_KeptPictures):
    """Pictures as they are, not cut.

    Args:
        limits: of the decoder.
        longest_px: of a side; larger ones are made smaller.
    """

    def __init__(
        self, limits: DecodeLimits, longest_px: int = LARGE_PX, parent: QObject | None = None
    ) -> None:
        super().__init__(limits, parent)
        self._longest_px = longest_px
        self._thread.start()

    def _made(self, path: Path) -> QImage | None:
        try:
            rgb = decode(
                read_photo(path, self._limits), limits=self._limits, wanted_side_px=self._longest_px // 2
            )
        except LeafsightError:
            return None
        return as_picture(fitted(rgb, self._longest_px)).convertToFormat(QImage.Format.Format_RGB32)


class LargePicture(_Reading):
    """The picture that somebody looks at, and its heatmap; only the last that was asked for comes."""

    ready = Signal(int, object, object)

    def __init__(self, limits: DecodeLimits, parent: QObject | None = None) -> None:
        super().__init__(limits, parent)
        self._wanted: tuple[int, Path, np.ndarray | None] | None = None
        self._thread.start()

    def ask(self, number: int, path: Path, heatmap: np.ndarray | None) -> None:
        """Read it; ``ready`` gives number, picture and the same under a full heatmap, None for none."""
        with self._changed:
            self._wanted = (number, path, heatmap)
            self._changed.notify()

    def _read(self) -> None:
        while True:
            with self._changed:
                while not self._ended and self._wanted is None:
                    self._changed.wait()
                if self._ended or self._wanted is None:
                    return
                (number, path, heatmap), self._wanted = self._wanted, None
            self.ready.emit(number, *pictures_of(path, heatmap, self._limits, LARGE_PX))
