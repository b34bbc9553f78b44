"""What stands in a page before there is anything in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from leafsight.desktop.window.controls import button, words


class Invitation(QFrame):
    """A card in the middle of a page.

    Args:
        title: what to do.
        said: what comes of it.
        ways: buttons, each with what it does; the first is the one that is wanted.
    """

    def __init__(self, title: str, said: str, ways: Sequence[tuple[str, Callable[[], object]]]) -> None:
        super().__init__()
        self.setObjectName("card")
        self._said = words("quiet", said)
        inside = QVBoxLayout(self)
        inside.setSpacing(14)
        inside.addStretch()
        for label in (words("verdict", title), self._said):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            line = QHBoxLayout()  # narrower than the card: long lines are hard to read
            for widget, share in ((QWidget(), 1), (label, 3), (QWidget(), 1)):
                line.addWidget(widget, share)
            inside.addLayout(line)
        buttons = QHBoxLayout()
        buttons.addStretch()
        for number, (text, do) in enumerate(ways):
            buttons.addWidget(button(text, do, "" if number else "primary"))
        buttons.addStretch()
        inside.addLayout(buttons)
        inside.addStretch()

    def say(self, said: str) -> None:
        """Something else comes of it."""
        self._said.setText(said)
