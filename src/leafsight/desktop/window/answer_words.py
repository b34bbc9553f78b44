"""One answer in words and bars: of a photograph, or of a plant."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from leafsight.desktop.session import also_possible, headline, percent, quality_remarks, sureness
from leafsight.desktop.session.language import named, tr, translated
from leafsight.desktop.window.controls import emptied, words
from leafsight.inference import Answer, Combined, Prediction

MOST_BARS = 5


class AnswerWords(QWidget):
    """What it is, how sure, what else, what may mislead, what helps."""

    def __init__(self, verdict: str = "verdict") -> None:
        super().__init__()
        self._verdict, self._sure, self._words = words(verdict), words("sure"), words()
        self._bars = QVBoxLayout()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        for label in (self._verdict, self._sure, self._words):
            whole.addWidget(label)
        whole.addLayout(self._bars)

    def show_answer(self, found: Answer | None, instead: str = "", *, bars: bool = True) -> None:
        """Show this one, or what is said ``instead`` while there is none."""
        self._verdict.setText(instead if found is None else headline(found))
        self._sure.setText("" if found is None else sureness(found))
        self._words.setText("" if found is None else in_words(found))
        for label in (self._verdict, self._sure, self._words):
            label.setVisible(bool(label.text()))
        emptied(self._bars)
        for one in () if found is None or not bars else found.top[:MOST_BARS]:
            self._bars.addWidget(_Bar(named(one.display), one.probability))


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


def in_words(found: Answer) -> str:
    """Why, what else, what to do: what stands below the headline."""
    said = []
    if not found.is_diagnosis or isinstance(found, Combined):
        said.append(translated(found.reason))
    if found.is_diagnosis:
        said.append(tr("From a photograph alone; look at the plant before you act on it."))
    if found.verdict not in ("not_a_leaf", "too_blurred", "unreadable"):
        said.append(also_possible(found))
    if isinstance(found, Prediction) and found.verdict != "unreadable":
        said.append(quality_remarks(found.quality))
    if found.hint:
        said.append(tr("What helps: {hint}.", hint=translated(found.hint)).replace("..", "."))
    return "\n\n".join(line for line in said if line)
