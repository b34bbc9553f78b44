"""The keys of the page, on one sheet."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QVBoxLayout, QWidget

from leafsight.desktop.session.language import tr
from leafsight.desktop.window.controls import button, words


def _keys() -> tuple[tuple[str, str], ...]:
    return (
        (tr("Enter or C"), tr("Say what it really shows: type words of its name, Enter chooses and goes on")),
        (tr("R"), tr("Right as it is, and on to the next")),
        (tr("U or Backspace"), tr("Take the word back")),
        (tr("Ctrl+Z"), tr("Undo the last word")),
        (tr("N, P or the arrows"), tr("Next and previous photograph")),
        (tr("Shift and arrows, Ctrl+A"), tr("Select several; what you say is said of all")),
        (tr("Ctrl+G"), tr("The selected ones show one plant")),
        (tr("Ctrl+Shift+G"), tr("Take the plant apart")),
        (tr("Delete"), tr("Take out of the list; the file stays")),
        (tr("Ctrl+O, Ctrl+V"), tr("Add photographs; paste a picture or files")),
        (tr("F1 or ?"), tr("This list")),
    )


class Keys(QDialog):
    """Shown over the window until a key or a button closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keys"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 2)
        for row, (keys, meaning) in enumerate(_keys()):
            grid.addWidget(words("key", keys), row, 0)
            grid.addWidget(words("", meaning), row, 1)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(24, 16, 24, 16)
        inside.setSpacing(12)
        inside.addWidget(words("heading", tr("In the list of photographs")))
        inside.addLayout(grid)
        inside.addStretch()
        inside.addWidget(button(tr("Close"), self.close), 0, Qt.AlignmentFlag.AlignRight)
        self.setMinimumWidth(90 * self.fontMetrics().averageCharWidth())
