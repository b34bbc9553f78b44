"""The language of the window: every sentence stands in the code in English and goes through ``tr``.

Enters: English, values. Leaves: the same sentence in the language that was chosen at the start, in English
where a translation lacks it. It does not know what a sentence is for.
"""

from __future__ import annotations

from gettext import NullTranslations

_chosen = NullTranslations()


def use_language(translations: NullTranslations) -> None:
    """From now on; what is on the screen already stays as it is."""
    global _chosen
    _chosen = translations


def tr(text: str, **values: object) -> str:
    """A sentence, with ``{names}`` in it replaced by the values.

    Args:
        text: English; a literal, so that it is found by who translates.
        values: for the names in it.
    """
    said = _chosen.gettext(text)
    return said.format(**values) if values else said


def trn(one: str, many: str, number: int, **values: object) -> str:
    """A sentence with a count: ``{number}`` in it has separators of thousands.

    Args:
        one: English, for exactly one.
        many: English, for every other count.
        number: the count.
        values: for further names in it.
    """
    return _chosen.ngettext(one, many, number).format(number=f"{number:,}", **values)
