"""Small controls that every page is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QLabel,
    QLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)


def words(name: str = "", text: str = "") -> QLabel:
    """Text that wraps and can be copied; what a file is called, or a model says, is never read as markup.

    Args:
        name: of its look in the style sheet, such as ``quiet`` or ``heading``.
        text: to begin with.
    """
    label = QLabel(text)
    label.setObjectName(name)
    label.setIndent(0)  # else one with a padding does not stand in line with the others
    label.setWordWrap(True)
    label.setIndent(0)  # otherwise one with a padding of its own stands half a letter to the right
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def button(text: str, do: Callable[[], object], name: str = "") -> QPushButton:
    """A button; ``primary`` is the name of the one that a page wants to be pressed."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.clicked.connect(lambda _=False: do())
    return made


def choice(name: str) -> QComboBox:
    """A box of choices with its name, also for who only hears it."""
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(name)
    return box


def emptied(layout: QLayout) -> None:
    """Take all widgets out of a layout; they are not seen from now on, and go a little later."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def menu_button(text: str, entries: Sequence[tuple[str, Callable[[], object]]]) -> QToolButton:
    """A button that opens a menu."""
    made = QToolButton()
    made.setText(f"{text} \u25be")
    made.setAccessibleName(text)
    made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(made)
    for name, do in entries:
        menu.addAction(name).triggered.connect(lambda checked=False, do=do: do())
    made.setMenu(menu)
    return made


def card(title: str = "") -> tuple[QFrame, QVBoxLayout]:
    """A frame for what belongs together, and where it is put; with a heading, if there is one."""
    made = QFrame()
    made.setObjectName("card")
    inside = QVBoxLayout(made)
    inside.setContentsMargins(20, 14, 20, 16)
    inside.setSpacing(8)
    if title:
        inside.addWidget(words("heading", title))
    return made, inside


def scrolled(*parts: QWidget) -> QScrollArea:
    """Parts one below the other, as wide as the page; what does not fit is scrolled."""
    column = QWidget()
    inside = QVBoxLayout(column)
    inside.setContentsMargins(0, 0, 8, 0)
    inside.setSpacing(12)
    for part in parts:
        inside.addWidget(part)
    inside.addStretch()
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(column)
    return area
