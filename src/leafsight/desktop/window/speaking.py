"""The language of a window that is about to be made, also that of Qt's own dialogs."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QTranslator

from leafsight.desktop.session import Preferences
from leafsight.desktop.session.language import ENGLISH, Figures, begin_to_speak

LANGUAGES_FOLDER = "languages"
_of_qt: list[QTranslator] = []


def own_languages(state_dir: Path) -> Path:
    """Where translations lie that a person added."""
    return state_dir / LANGUAGES_FOLDER


def speak(preferences: Preferences, state_dir: Path) -> None:
    """Everything that is made from now on is said in the language that a person wants."""
    units = Figures(sizes=preferences.sizes, dates=preferences.dates)
    one = begin_to_speak(preferences.language, units, own_languages(state_dir), os.environ)
    while _of_qt:
        QCoreApplication.removeTranslator(_of_qt.pop())
    if one == ENGLISH:
        return
    for name in (f"qtbase_{one.code}", f"qtbase_{one.code.partition('_')[0]}"):
        made = QTranslator()
        if made.load(name, QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            QCoreApplication.installTranslator(made)
            _of_qt.append(made)
            return
