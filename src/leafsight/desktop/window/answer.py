"""The answer about one photograph: its picture, its plant, what, how sure, what else, what a person says."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from leafsight.desktop.session import Model, Photograph, Plant, advice_on, hottest_place
from leafsight.desktop.session.language import named, tr, trn
from leafsight.desktop.window.advice import AdviceCards
from leafsight.desktop.window.answer_words import AnswerWords
from leafsight.desktop.window.controls import button, words
from leafsight.desktop.window.picture import Picture
from leafsight.desktop.window.plant_card import PlantCard
from leafsight.desktop.window.word_bar import WordBar
from leafsight.inference import Prediction


class AnswerPane(QWidget):
    """What is known of the photograph that is chosen."""

    strength_chosen = Signal(int)
    joined = Signal()
    """The selected photographs show one plant."""

    def __init__(self, strength: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model: Model | None = None
        self.picture = Picture()
        self.picture.set_strength(strength)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setValue(strength)
        self.slider.setAccessibleName(tr("Strength of the heatmap"))
        self.slider.valueChanged.connect(self._strength)
        self.several = QFrame()
        self._several_words = words()
        self.join = button(tr("&One plant"), self.joined.emit)
        self.plant, self.word = PlantCard(), WordBar()
        self._name, self._where = words("quiet"), words("quiet")
        self._answer, self._advice = AnswerWords(), AdviceCards()
        self._arrange()
        self.show_photograph(None)
        self.show_selected(0, can_join=False)

    def _arrange(self) -> None:
        warm = QHBoxLayout()
        self._heat_label = words("quiet", tr("&Heatmap"))
        self._heat_label.setBuddy(self.slider)
        warm.addWidget(self._heat_label)
        warm.addWidget(self.slider, 1)
        self.several.setObjectName("card")
        line = QHBoxLayout(self.several)
        line.addWidget(self._several_words, 1)
        line.addWidget(self.join)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 0, 12, 12)
        whole.setSpacing(10)
        whole.addWidget(self.several)
        whole.addWidget(self.picture, 1)
        whole.addLayout(warm)
        for one in (self.plant, self._name, self._answer, self._where, self.word, self._advice):
            whole.addWidget(one)
        whole.addStretch()

    def know(self, model: Model) -> None:
        """The names of the model's classes, for a person's own word."""
        self._model = model

    def show_selected(self, number: int, *, can_join: bool) -> None:
        """Say how many are selected, when they are several."""
        self.several.setVisible(number > 1)
        self._several_words.setText(
            trn(
                "{number} photograph is selected.",
                "{number} photographs are selected. What you say is said of all of them.",
                number,
            )
        )
        self.join.setVisible(can_join)

    def show_photograph(self, one: Photograph | None, plant: Plant | None = None) -> None:
        """Show this one, and the plant that it shows with others; None when none is chosen."""
        found = None if one is None else one.prediction
        self._name.setText("" if one is None else one.path.name)
        self._answer.show_answer(found, "" if one is None else tr("Waiting"))
        self._where.setText("" if found is None else _where(found))
        for label in (self._name, self._where):
            label.setVisible(bool(label.text()))
        cards = () if found is None else advice_on(found)
        self._advice.show_cards(cards)
        self.plant.show_plant(plant, cards)
        self.word.show_photograph(one, self._model)
        self.show_heat(found is not None and found.heatmap is not None)

    def show_heat(self, there: bool) -> None:
        """Offer the slider where there is a heatmap."""
        self.slider.setVisible(there)
        self._heat_label.setVisible(there)

    def _strength(self, value: int) -> None:
        self.picture.set_strength(value)
        self.strength_chosen.emit(value)


def _where(found: Prediction) -> str:
    place = None if found.heatmap is None or not found.top else hottest_place(found.heatmap)
    if place is None:
        return ""
    return tr(
        "Warm colours show what speaks for {name}; most of it is {place}. They say where, not how sure.",
        name=named(found.top[0].display),
        place=place,
    )
