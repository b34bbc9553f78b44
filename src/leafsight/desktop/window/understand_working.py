"""What is shown while a collection is looked at: what is being done, how far it is, how long it takes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout

from leafsight.desktop.session.language import tr
from leafsight.desktop.session.understanding import State, places_in_words, progress_in_words, step_in_words
from leafsight.desktop.window.controls import button, words


class WorkingCard(QFrame):
    """Shows how far the work is.

    Args:
        cancel: what the button does.
    """

    def __init__(self, cancel: Callable[[], object]) -> None:
        super().__init__()
        self.setObjectName("card")
        self._title, self.step, self.progress_words = words("heading"), words(), words("quiet")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("How far this step is"))
        self.cancel_button = button(tr("&Cancel"), cancel)
        said = QVBoxLayout()
        said.setSpacing(4)
        for one in (self._title, self.step, self.bar, self.progress_words):
            said.addWidget(one)
        line = QHBoxLayout(self)
        line.setContentsMargins(16, 8, 16, 12)
        line.setSpacing(16)
        line.addLayout(said, 1)
        line.addWidget(self.cancel_button)

    def show_state(self, state: State) -> None:
        """Show this."""
        told = state.told
        self._title.setText(tr("Looking at {name}", name=places_in_words(state.working_on)))
        self.step.setText(step_in_words(told))
        self.progress_words.setText(progress_in_words(told) or " ")
        total = 0 if told is None else told.total
        self.bar.setRange(0, total)  # without a total it moves to and fro
        self.bar.setValue(0 if told is None else min(told.done, total))
