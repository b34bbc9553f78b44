"""What stands in the window before there is a photograph."""

from __future__ import annotations

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget


def invitation(wants_files: SignalInstance, wants_folder: SignalInstance) -> QWidget:
    """A card that says what to do; its buttons emit the signals."""
    card = QFrame()
    card.setObjectName("card")
    inside = QVBoxLayout(card)
    title = QLabel("Drop photographs or a folder here")
    title.setObjectName("verdict")
    said = QLabel("They stay on this computer. The model says what it sees, and when it cannot tell.")
    said.setObjectName("quiet")
    said.setWordWrap(True)
    buttons = QHBoxLayout()
    for text, signal, name in (
        ("Choose &photographs", wants_files, "primary"),
        ("Choose a &folder", wants_folder, ""),
    ):
        button = QPushButton(text)
        button.setObjectName(name)
        button.clicked.connect(signal)
        buttons.addWidget(button)
    buttons.insertStretch(0)
    buttons.addStretch()
    inside.setSpacing(14)
    inside.addStretch()
    for one in (title, said):
        one.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        inside.addWidget(one)
    inside.addLayout(buttons)
    inside.addStretch()
    return card
