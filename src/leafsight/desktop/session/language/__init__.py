"""The language of the window: every sentence stands in the code in English and goes through here.

Enters: English, values; files of translators (``.po``). Leaves: the same sentence in the language that was
chosen, in English where a translation lacks it. It does not know what a sentence is for.
"""

from leafsight.desktop.session.language.catalogue import Translation, read_translation
from leafsight.desktop.session.language.choosing import (
    ENGLISH,
    FOLDER,
    Language,
    add_language,
    begin_to_speak,
    languages,
    of_the_computer,
    translation_of,
)
from leafsight.desktop.session.language.figures import (
    DATES,
    FIGURES,
    SIZES,
    Dates,
    Figures,
    Sizes,
    figures,
    in_figures,
    numeric_date,
    use_figures,
)
from leafsight.desktop.session.language.speaking import is_english, named, tr, translated, trn, use_language

__all__ = [
    "Dates",
    "Sizes",
    "add_language",
    "begin_to_speak",
    "DATES",
    "SIZES",
    "numeric_date",
    "ENGLISH",
    "FIGURES",
    "FOLDER",
    "Figures",
    "Language",
    "Translation",
    "figures",
    "in_figures",
    "is_english",
    "languages",
    "named",
    "of_the_computer",
    "read_translation",
    "tr",
    "translated",
    "translation_of",
    "trn",
    "use_figures",
    "use_language",
]
