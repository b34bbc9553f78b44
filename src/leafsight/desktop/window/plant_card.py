"""What several photographs of one plant say together."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from leafsight.desktop.session import Advice, Plant, advice_on, basis, plant_name
from leafsight.desktop.session.language import tr
from leafsight.desktop.window.advice import AdviceCards
from leafsight.desktop.window.answer_words import AnswerWords
from leafsight.desktop.window.controls import button, words


class PlantCard(QFrame):
    """Shows a plant."""

    parted = Signal()
    """All of its photographs are on their own again."""
    left = Signal()
    """Only the selected ones are."""
    asked_again = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self._name, self._basis = words("key"), words("quiet")
        self._words, self._advice = AnswerWords("plant"), AdviceCards()
        self._again = button(tr("Ask again"), self.asked_again.emit)
        self._leave = button(tr("Not of this plant"), self.left.emit)
        line = QHBoxLayout()
        for one in (self._again, self._leave, button(tr("Take the plant apart"), self.parted.emit)):
            line.addWidget(one)
        line.addStretch()
        inside = QVBoxLayout(self)
        for part in (self._name, self._words, self._basis, self._advice):
            inside.addWidget(part)
        inside.addLayout(line)
        self.setVisible(False)

    def show_plant(self, plant: Plant | None, besides: Sequence[Advice] = ()) -> None:
        """Show this one, without the cards that stand ``besides`` anyway; None when there is none to show."""
        self.setVisible(plant is not None)
        if plant is None:
            return
        said, problem = plant.combined, plant.problem
        self._name.setText(plant_name(plant.number, len(plant.photographs)))
        waits = tr("On the way") if problem is None else problem.in_words()
        self._words.show_answer(said, waits, bars=False)
        self._basis.setText("" if said is None else basis(said))
        self._basis.setVisible(said is not None)
        titles = {one.title for one in besides}
        cards = () if said is None else advice_on(said)
        self._advice.show_cards([one for one in cards if one.title not in titles])
        self._again.setVisible(problem is not None)
        self._leave.setVisible(len(plant.photographs) > 2)
