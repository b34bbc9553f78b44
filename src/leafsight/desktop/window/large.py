"""What somebody wants to see large: one picture, or the photographs of a case side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from leafsight.desktop.session.language import tr
from leafsight.desktop.window.controls import button, words
from leafsight.desktop.window.picture import Picture
from leafsight.desktop.window.pictures import WholePictures

MOST_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of the view.

    Attributes:
        path: of its file.
        name: what it is called.
        instead: shown where the file cannot be read.
    """

    path: Path
    name: str
    instead: Path | None = None


class LargeView(QDialog):
    """Shows pictures until it is closed; arrow keys ask for the one before and the next.

    Args:
        pictures: read them.
        parent: it lies over that.
    """

    wants_other = Signal(int)
    """Minus one or one."""

    def __init__(self, pictures: WholePictures, parent: QWidget) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._shown: list[tuple[Shown, Picture]] = []
        self.resize(1000, 720)
        self._words = words()
        self._row = QHBoxLayout()
        self._row.setSpacing(12)
        whole = QVBoxLayout(self)
        whole.addLayout(self._row, 1)
        whole.addWidget(self._words)
        line = QHBoxLayout()
        self._others = [
            button(tr("&Before"), lambda: self.wants_other.emit(-1)),
            button(tr("&Next"), lambda: self.wants_other.emit(1)),
        ]
        for one in self._others:
            one.setAutoDefault(False)
            line.addWidget(one)
        line.addStretch()
        line.addWidget(button(tr("&Close"), self.accept))
        whole.addLayout(line)
        for key, step in ((Qt.Key.Key_Left, -1), (Qt.Key.Key_Right, 1)):
            QShortcut(QKeySequence(key), self, lambda step=step: self.wants_other.emit(step))
        pictures.ready.connect(lambda _: self._fill())

    def show_pictures(self, title: str, shown: Sequence[Shown], said: str, *, has_others: bool) -> None:
        """Show these.

        Args:
            title: of the window.
            shown: pictures; further ones than four are only named.
            said: about them.
            has_others: whether there is one before or after.
        """
        self.setWindowTitle(title)
        self._clear()
        for one in shown[:MOST_SHOWN]:
            column = QWidget()
            inside = QVBoxLayout(column)
            inside.setContentsMargins(0, 0, 0, 0)
            picture = Picture()
            picture.setAccessibleName(one.name)
            inside.addWidget(picture, 1)
            inside.addWidget(words("quiet", one.name))
            self._row.addWidget(column, 1)
            self._shown.append((one, picture))
        rest = "\n".join(one.name for one in shown[MOST_SHOWN:])
        self._words.setText(f"{said}\n{rest}".strip())
        for one_of in self._others:
            one_of.setVisible(has_others)
        self._fill()

    def _clear(self) -> None:
        self._shown = []
        while (item := self._row.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()

    def _fill(self) -> None:
        for one, picture in self._shown:
            found = self._pictures.get(one.path)
            if found is None and one.instead is not None and self._pictures.cannot_read(one.path):
                found = self._pictures.get(one.instead)
            picture.show_picture(found, None)
