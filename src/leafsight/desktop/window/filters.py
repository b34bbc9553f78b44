"""Which photographs the list shows, in which order, and a line to find some."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from leafsight.desktop.session import ORDERS, SHOWN, Photograph, chosen
from leafsight.desktop.session.language import tr
from leafsight.desktop.window.controls import choice

SHOWN_WORDS = {
    "all": "All", "diagnosis": "Diseased", "healthy": "Healthy", "cannot_tell": "Cannot tell",
    "not_a_leaf": "Not a leaf", "unusable": "Blurred or unreadable", "corrected": "Corrected",
    "confirmed": "Said to be right", "waiting": "Waiting",
}  # fmt: skip
ORDER_WORDS = {
    "coming": "As they came", "name": "By name", "diagnosis": "By diagnosis", "sure": "Surest first",
    "unsure": "Least sure first",
}  # fmt: skip


class Filters(QWidget):
    """What a person chose of it."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.shown, self.order = choice(tr("Show")), choice(tr("Order"))
        for one in SHOWN:
            self.shown.addItem(tr(SHOWN_WORDS[one]), one)
        for order in ORDERS:
            self.order.addItem(tr(ORDER_WORDS[order]), order)
        self.words = QLineEdit()
        self.words.setPlaceholderText(tr("Find"))
        self.words.setAccessibleName(tr("Find in names and diagnoses"))
        self.words.setClearButtonEnabled(True)
        for signal in (self.shown.activated, self.order.activated, self.words.textChanged):
            signal.connect(lambda _: self.changed.emit())
        boxes: Iterable[QComboBox] = (self.shown, self.order)
        choices = QHBoxLayout()
        for box in boxes:
            choices.addWidget(box, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.words)
        column.addLayout(choices)

    def of(self, photographs: Iterable[Photograph]) -> list[int]:
        """Numbers of those to show, in their order."""
        return chosen(
            photographs,
            shown=self.shown.currentData(),
            order=self.order.currentData(),
            words=self.words.text(),
        )
