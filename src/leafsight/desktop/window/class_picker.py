"""Where a person says what a photograph really shows: a line to type into, and the classes that fit."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from leafsight.desktop.session import Named, with_words
from leafsight.desktop.session.language import tr
from leafsight.desktop.window.controls import words

KEY = Qt.ItemDataRole.UserRole
SHOWN_CLASSES = 9
THROUGH_THE_LIST = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}
CHOOSING = {Qt.Key.Key_Return, Qt.Key.Key_Enter}


class ClassPicker(QFrame):
    """A popup; Enter chooses, Esc leaves."""

    chosen = Signal(str)
    """Key of a class."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("card")
        self.setAccessibleName(tr("What does it show?"))
        self._classes: Sequence[Named] = ()
        self._about = words("quiet")
        self.line = QLineEdit()
        self.line.setPlaceholderText(tr("for example: blight"))
        self.line.setAccessibleName(tr("Words of its name"))
        self.line.textChanged.connect(lambda _: self._fill())
        self.line.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Classes"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(lambda _: self._choose())
        self._none = words("quiet", tr("Nothing here has that name."))
        inside = QVBoxLayout(self)
        inside.addWidget(words("heading", tr("What does it show?")))
        for one in (self._about, self.line, self.list, self._none):
            inside.addWidget(one)

    def open_for(self, classes: Sequence[Named], about: str, now: str | None, beside: QRect) -> None:
        """Let a person choose.

        Args:
            classes: in the order in which they are offered.
            about: says of what.
            now: key of the class that was said before.
            beside: on the screen.
        """
        self._classes = classes
        self._about.setText(about)
        self.line.clear()
        self._fill(now)
        high = self.list.sizeHintForRow(0) * min(SHOWN_CLASSES, max(3, len(classes)))
        self.list.setFixedHeight(high + 2 * self.list.frameWidth())
        self.setFixedWidth(max(self.sizeHint().width(), 30 * self.fontMetrics().averageCharWidth() + 120))
        self.adjustSize()
        self.move(self._place(beside))
        self.show()
        self.line.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """What is typed goes into the line; the arrows and Enter are for the list below it."""
        if (
            watched is not self.line
            or not isinstance(event, QKeyEvent)
            or event.type() != QEvent.Type.KeyPress
        ):
            return False
        key = Qt.Key(event.key())
        if key in CHOOSING:
            self._choose()
        elif key == Qt.Key.Key_Escape:
            self.close()
        elif key in THROUGH_THE_LIST:
            self.list.keyPressEvent(event)
        else:
            return False
        return True

    def _place(self, beside: QRect) -> QPoint:
        """Below what it is about; above it, or higher, where the screen ends."""
        screen = self.screen().availableGeometry()
        left = min(beside.left() + 24, screen.right() - self.width())
        top = beside.bottom()
        if top + self.height() > screen.bottom():
            top = beside.top() - self.height()
        return QPoint(max(screen.left(), left), max(screen.top(), top))

    def _fill(self, now: str | None = None) -> None:
        fitting = with_words(self._classes, self.line.text())
        self.list.clear()
        for key, name in fitting:
            item = QListWidgetItem(name)
            item.setData(KEY, key)
            self.list.addItem(item)
        keys = [key for key, _ in fitting]
        self.list.setCurrentRow(keys.index(now) if now in keys else 0)
        self._none.setVisible(not fitting)

    def _choose(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.close()
            self.chosen.emit(item.data(KEY))
