"""Which languages there are, and which one is spoken."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from leafsight.desktop.session.language.catalogue import FIGURE, Translation, read_translation
from leafsight.desktop.session.language.figures import Figures, use_figures
from leafsight.desktop.session.language.speaking import use_language
from leafsight.errors import ConfigError, LeafsightError
from leafsight.storage import os_errors_translated, readable, write_bytes

LOG = logging.getLogger("leafsight.desktop")
FOLDER = Path(__file__).parents[2] / "languages"
"""Of the translations that come with leafsight."""
CODE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")
MOST = 100
OWN_NAMES = {
    "ar": "العربية", "bn": "বাংলা", "de": "Deutsch", "en": "English", "es": "Español", "fr": "Français",
    "hi": "हिन्दी", "id": "Bahasa Indonesia", "it": "Italiano", "ja": "日本語", "ko": "한국어",
    "nl": "Nederlands", "pl": "Polski", "pt": "Português", "pt_BR": "Português (Brasil)", "ru": "Русский",
    "sw": "Kiswahili", "ta": "தமிழ்", "te": "తెలుగు", "th": "ไทย", "tr": "Türkçe", "uk": "Українська",
    "ur": "اردو", "vi": "Tiếng Việt", "zh_CN": "简体中文", "zh_TW": "繁體中文",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Language:
    """One that can be chosen.

    Attributes:
        code: such as ``es`` or ``pt_BR``.
        path: of its file; None for English.
    """

    code: str
    path: Path | None = None

    @property
    def name(self) -> str:
        """As those who speak it call it."""
        return OWN_NAMES.get(self.code, self.code)


ENGLISH = Language("en")


def languages(*folders: Path) -> list[Language]:
    """English, and one for every file ``CODE.po``; of two with one code that of the later folder.

    Args:
        folders: that are looked into beside leafsight's own; one that is not there has none.
    """
    found = {ENGLISH.code: ENGLISH}
    for folder in (FOLDER, *folders):
        try:
            files = sorted(folder.glob("*.po"))[:MOST]
        except OSError:
            continue
        found |= {path.stem: Language(path.stem, path) for path in files if CODE.fullmatch(path.stem)}
    return [ENGLISH, *sorted((one for one in found.values() if one.path), key=lambda one: one.name.lower())]


def of_the_computer(environment: Mapping[str, str]) -> str:
    """The language that the desktop speaks, such as ``es_MX``; empty where it does not say.

    Args:
        environment: of the process; the first of the variables that gettext reads and that is set counts.
    """
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        wanted = environment.get(name, "").split(":")[0].split(".")[0].split("@")[0]
        if wanted:
            return "" if wanted in ("C", "POSIX") else wanted
    return ""


def translation_of(wanted: str, there: list[Language]) -> tuple[Language, Translation]:
    """The language to speak; English where there is no such one, or its file cannot be read.

    Args:
        wanted: a code; that of a country falls back to its language.
        there: that can be chosen.
    """
    by_code = {one.code: one for one in there}
    for code in (wanted, wanted.partition("_")[0]):
        one = by_code.get(code)
        if one is None or one.path is None:
            continue
        try:
            made = read_translation(one.path)
        except LeafsightError as error:
            LOG.warning("%s", error.message)
            break
        if made.unsound:
            LOG.warning("%s: %d entries ask for values that are not there", one.path, made.unsound)
        return one, made
    return ENGLISH, Translation()


def begin_to_speak(wanted: str, units: Figures, own: Path, environment: Mapping[str, str]) -> Language:
    """From now on: this language, with its way to write numbers.

    Args:
        wanted: a code; empty is that of the computer.
        units: of sizes and dates; how numbers are written is the language's.
        own: folder of translations that a person added; one of them goes before leafsight's of the same code.
        environment: of the process.

    Returns:
        The language that is spoken.
    """
    one, made = translation_of(wanted or of_the_computer(environment), languages(own))
    use_language(made)
    use_figures(replace(units, decimal=made.text(".", FIGURE), thousands=made.text(",", FIGURE)))
    return one


def add_language(path: Path, own: Path) -> Language:
    """Keep a translator's file among those that can be chosen.

    Args:
        path: ``CODE.po``, such as ``fr.po`` or ``pt_BR.po``.
        own: the folder; made when it is not there. A file of the same code is replaced.

    Raises:
        ConfigError: its name is no code of a language, or it is no translation.
        LeafsightError: it cannot be read, or the folder cannot be written.
    """
    if path.suffix != ".po" or not CODE.fullmatch(path.stem) or path.stem == ENGLISH.code:
        raise ConfigError(
            f"{readable(path.name)} is not named by a language",
            hint="name it by the code of its language, such as fr.po or pt_BR.po",
        )
    read_translation(path)
    with os_errors_translated(own):
        own.mkdir(parents=True, exist_ok=True)
    with os_errors_translated(path):
        data = path.read_bytes()
    write_bytes(own / path.name, data)
    return Language(path.stem, own / path.name)
