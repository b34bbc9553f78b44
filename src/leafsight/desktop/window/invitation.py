"""What stands in a page before there is anything in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from leafsight.desktop.session.language import tr
from leafsight.desktop.window.controls import button


def invitation(wants_files: SignalInstance, wants_folder: SignalInstance) -> QWidget:
    """A card that says what to do; its buttons emit the signals."""
    return invitation_card(
        tr("Drop photographs or a folder here"),
        tr("They stay on this computer. The model says what it sees, and when it cannot tell."),
        ((tr("Choose photographs"), wants_files.emit), (tr("Choose a folder"), wants_folder.emit)),
    )


def invitation_card(title: str, said: str, ways: Sequence[tuple[str, Callable[[], object]]]) -> QWidget:
    """A card in the middle of a page.

    Args:
        title: what to do.
        said: what comes of it.
        ways: buttons, each with what it does; the first is the one that is wanted.
    """
    card = QFrame()
    card.setObjectName("card")
    inside = QVBoxLayout(card)
    inside.setSpacing(14)
    inside.addStretch()
    for name, text in (("verdict", title), ("quiet", said)):
        label = QLabel(text)
        label.setObjectName(name)
        label.setWordWrap(True)
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
    return card
