"""Was this right? What a person says of the answer, and what they said."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from leafsight.desktop.session import Model, Photograph, name_of, word_said
from leafsight.desktop.session.language import tr
from leafsight.desktop.window.controls import button, words


class WordBar(QWidget):
    """A question with its buttons; the same wishes have keys in the list."""

    right = Signal()
    word_wanted = Signal()
    taken_back = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._said = words()
        self.yes = button(tr("&Yes"), self.right.emit)
        self.other = button(tr("&No"), self.word_wanted.emit)
        self.back = button(tr("Take it &back"), self.taken_back.emit)
        self.yes.setToolTip("R")
        self.other.setToolTip("C")
        self.back.setToolTip("U")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self._said, 1)
        for one in (self.yes, self.other, self.back):
            line.addWidget(one)
        self.setVisible(False)

    def show_photograph(self, one: Photograph | None, model: Model | None) -> None:
        """Ask about this one, or say what was said."""
        found = None if one is None else one.prediction
        if one is None or found is None or (found.verdict == "unreadable" and one.correction is None):
            self.setVisible(False)
            return
        said, named = one.correction, found.is_diagnosis
        if said is not None:
            text, other = word_said(one.is_confirmed, name_of(said, model)), tr("Say it a&gain")
        elif named:
            text, other = tr("Was this right?"), tr("&No")
        else:
            text, other = tr("Do you know what it shows?"), tr("Say &what it shows")
        self._said.setText(text)
        self.other.setText(other)
        self.yes.setVisible(said is None and named)
        self.other.setVisible(model is not None)
        self.back.setVisible(said is not None)
        self.setVisible(True)
