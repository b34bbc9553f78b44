"""Settings of language and units: they hold for a window that is opened, so this one is opened anew."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QComboBox, QFileDialog, QFrame, QHBoxLayout

from leafsight.desktop.session import Trouble
from leafsight.desktop.session.language import DATES, SIZES, add_language, languages, tr
from leafsight.desktop.window.controls import button, card, choice, words
from leafsight.desktop.window.pages import Around
from leafsight.desktop.window.speaking import own_languages
from leafsight.errors import LeafsightError

SIZE_WORDS = {
    "decimal": "Files in MB (1,000,000 bytes)",
    "binary": "Files in MiB (1,048,576 bytes)",
}
DATE_WORDS = {
    "words": "24 Nov 2026, 14:09",
    "iso": "2026-11-24 14:09",
    "day-first": "24/11/2026 14:09",
    "month-first": "11/24/2026 2:09 PM",
}


class LanguageSettings:
    """A card with the choices.

    Args:
        around: the window.
        troubled: is told what went wrong.
    """

    def __init__(self, around: Around, troubled: SignalInstance) -> None:
        self._around, self._troubled = around, troubled
        self._began = self._wanted()
        self.card: QFrame
        self.card, inside = card(tr("Language and units"))
        self.language, self.sizes, self.dates = (
            choice(tr("Language")), choice(tr("Sizes of files")), choice(tr("Dates")),
        )  # fmt: skip
        for sizes in SIZES:
            self.sizes.addItem(tr(SIZE_WORDS[sizes]), sizes)
        for dates in DATES:
            self.dates.addItem(DATE_WORDS[dates], dates)
        line = QHBoxLayout()
        for box, name in ((self.language, "language"), (self.sizes, "sizes"), (self.dates, "dates")):
            box.activated.connect(lambda _, box=box, name=name: self._choose(name, box))
            line.addWidget(box)
        line.addStretch()
        self.later = words("quiet")
        self.again = button(tr("&Open it again now"), around.open_again)
        below = QHBoxLayout()
        below.addWidget(button(tr("Add a lan&guage from a file"), self._add))
        below.addWidget(self.later, 1)
        below.addWidget(self.again)
        below.addStretch()
        inside.addLayout(line)
        inside.addLayout(below)
        self._fill()

    def show(self) -> None:
        """What is chosen, and whether this window speaks so already."""
        for box, value in zip((self.language, self.sizes, self.dates), self._wanted(), strict=True):
            box.setCurrentIndex(max(0, box.findData(value)))
        waits = self._wanted() != self._began
        self.later.setText(tr("This holds when the window is opened again.") if waits else "")
        self.later.setVisible(waits)
        # A window that keeps nothing would lose its photographs.
        self.again.setVisible(waits and not self._around.options.new_window)

    def _wanted(self) -> tuple[str, str, str]:
        preferences = self._around.preferences()
        return preferences.language, preferences.sizes, preferences.dates

    def _fill(self) -> None:
        self.language.clear()
        self.language.addItem(tr("As the computer"), "")
        for one in languages(own_languages(self._around.options.state_dir)):
            self.language.addItem(one.name, one.code)
        self.show()

    def _choose(self, name: str, box: QComboBox) -> None:
        self._around.prefer(**{name: box.currentData()})
        self.show()

    def _add(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self.card, tr("Translation"), "", tr("Translations ({patterns})", patterns="*.po")
        )
        if not name:
            return
        try:
            added = add_language(Path(name), own_languages(self._around.options.state_dir))
        except LeafsightError as error:
            self._troubled.emit(Trouble.of(error))
            return
        self._around.prefer(language=added.code)
        self._fill()
