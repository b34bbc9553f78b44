"""The answer about one photograph in words: what, how sure, what else, what to do, what a person says."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QProgressBar,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from leafsight.desktop.session import (
    Model,
    Photograph,
    also_possible,
    headline,
    hottest_place,
    percent,
    quality_remarks,
    sureness,
)
from leafsight.desktop.window.controls import words
from leafsight.desktop.window.picture import Picture
from leafsight.inference import Prediction
from leafsight.taxonomy import Card, card, has_card

MOST_BARS = 5
NOBODY = "Right, or nothing said"


class AnswerPane(QWidget):
    """What is known of the photograph that is chosen."""

    said = Signal(object)
    """A person chose a class key, or None to take it back."""
    strength_chosen = Signal(int)

    def __init__(self, strength: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = Picture()
        self.picture.set_strength(strength)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setValue(strength)
        self.slider.setAccessibleName("Strength of the heatmap")
        self.slider.valueChanged.connect(self._strength)
        self._name, self._verdict, self._sure = words("quiet"), words("verdict"), words("sure")
        self._words, self._where, self._advice = words(), words("quiet"), words()
        self._advice.setTextFormat(Qt.TextFormat.RichText)
        self._advice.setOpenExternalLinks(True)
        self._bars = QVBoxLayout()
        self.really = QComboBox()
        self.really.setAccessibleName("What it really is")
        self.really.activated.connect(lambda _: self._on_said())
        self._arrange()
        self.show_photograph(None)

    def _arrange(self) -> None:
        warm = QHBoxLayout()
        self._heat_label = words("quiet", "&Heatmap")
        self._heat_label.setBuddy(self.slider)
        warm.addWidget(self._heat_label)
        warm.addWidget(self.slider, 1)
        wrong = QHBoxLayout()
        self._really_label = words("", "What it &really is")
        self._really_label.setBuddy(self.really)
        wrong.addWidget(self._really_label)
        wrong.addWidget(self.really, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 0, 12, 12)
        whole.setSpacing(10)
        whole.addWidget(self.picture, 1)
        whole.addLayout(warm)
        for one in (self._name, self._verdict, self._sure, self._words, self._where):
            whole.addWidget(one)
        whole.addLayout(self._bars)
        whole.addLayout(wrong)
        whole.addWidget(self._advice)
        whole.addStretch()

    def know(self, model: Model) -> None:
        """Offer the classes of the model for a person's own word."""
        self.really.clear()
        self.really.addItem(NOBODY, None)
        for key, name in model.classes.items():
            self.really.addItem(name, key)

    def show_photograph(self, one: Photograph | None) -> None:
        """Show this one; None when none is chosen."""
        found = None if one is None else one.prediction
        self._name.setText("" if one is None else one.path.name)
        self._verdict.setText("" if one is None else "Waiting" if found is None else headline(found))
        self._sure.setText("" if found is None else sureness(found))
        self._words.setText("" if found is None else _words(found))
        self._where.setText("" if found is None else _where(found))
        self._advice.setText("" if found is None else _advice(found))
        for label in (self._name, self._sure, self._words, self._where, self._advice):
            label.setVisible(bool(label.text()))
        self._draw_bars(found)
        for one_of in (self.really, self._really_label):
            one_of.setVisible(found is not None and self.really.count() > 0)
        self._show_correction(None if one is None else one.correction)
        self.show_heat(found is not None and found.heatmap is not None)

    def _show_correction(self, key: str | None) -> None:
        """Also one that the model does not know: it was said while another model was in use."""
        if key is not None and self.really.findData(key) < 0:
            self.really.addItem(key, key)
        self.really.setCurrentIndex(max(0, self.really.findData(key)))

    def show_heat(self, there: bool) -> None:
        """Offer the slider where there is a heatmap."""
        self.slider.setVisible(there)
        self._heat_label.setVisible(there)

    def _draw_bars(self, found: Prediction | None) -> None:
        while (item := self._bars.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        if found is None:
            return
        for one in found.top[:MOST_BARS]:
            self._bars.addWidget(_Bar(one.display, one.probability))

    def _strength(self, value: int) -> None:
        self.picture.set_strength(value)
        self.strength_chosen.emit(value)

    def _on_said(self) -> None:
        self.said.emit(self.really.currentData())


class _Bar(QWidget):
    """A class and its probability, also for who cannot see the bar."""

    def __init__(self, name: str, probability: float) -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(words("", name), 3)
        bar = QProgressBar()
        bar.setRange(0, 1000)
        bar.setValue(round(1000 * probability))
        bar.setTextVisible(False)
        bar.setAccessibleName(f"{name}: {percent(probability)}")
        line.addWidget(bar, 2)
        figure = words("quiet", percent(probability))
        figure.setAlignment(Qt.AlignmentFlag.AlignRight)
        line.addWidget(figure, 1)


def _words(found: Prediction) -> str:
    said = []
    if found.is_diagnosis:
        said.append("From a photograph alone; look at the plant before you act on it.")
    else:
        said.append(found.reason)
    if found.verdict not in ("not_a_leaf", "too_blurred", "unreadable"):
        said.append(also_possible(found))
    if found.verdict != "unreadable":
        said.append(quality_remarks(found.quality))
    if found.hint:
        said.append(f"What helps: {found.hint}.".replace("..", "."))
    return "\n\n".join(line for line in said if line)


def _where(found: Prediction) -> str:
    place = None if found.heatmap is None or not found.top else hottest_place(found.heatmap)
    if place is None:
        return ""
    name = found.top[0].display
    return f"Warm colours show what speaks for {name}; most of it is {place}. They say where, not how sure."


def _advice(found: Prediction) -> str:
    if found.key is None or not has_card(found.key):
        return ""
    return _as_html(card(found.key))


def _as_html(one: Card) -> str:
    from html import escape

    parts = (
        ("What it is", one.what_it_is),
        ("What it looks like", one.looks_like),
        ("How to tell it apart", one.told_apart),
        ("What growers do", one.growers_do),
        ("When to ask an expert", one.ask_an_expert),
    )
    said = "".join(f"<p><b>{title}.</b> {escape(text)}</p>" for title, text in parts if text)
    sources = "; ".join(
        f'<a href="{escape(source.url)}">{escape(source.institution)}: {escape(source.title)}</a>'
        if source.url
        else f"{escape(source.institution)}: {escape(source.title)}"
        for source in one.sources
    )
    return f"{said}<p>Sources: {sources}</p>"
