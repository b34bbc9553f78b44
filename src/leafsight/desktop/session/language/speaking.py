"""What everybody calls: a sentence of the window, one of another room, a name."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from leafsight.desktop.session.language.catalogue import NAME, SAID, Translation
from leafsight.desktop.session.language.figures import in_figures, value_in_figures
from leafsight.desktop.session.language.patterns import filled

SENTENCE_ENDS = re.compile(r"(?<=[.!?]) (?=[A-Z])|; |\n")
DEEPEST = 3
"""A value in a sentence may be a sentence of ours in turn."""
REMEMBERED = 4096
ENGLISH = Translation()
_chosen = ENGLISH


def use_language(translation: Translation) -> None:
    """From now on; what is on the screen already stays as it is."""
    global _chosen
    _chosen = translation if translation.texts or translation.plurals else ENGLISH
    _found.cache_clear()


def is_english() -> bool:
    """Whether everything is said as it stands in the code."""
    return _chosen is ENGLISH


def tr(text: str, **values: object) -> str:
    """A sentence, with ``{names}`` in it replaced by the values; numbers are written as they are wanted.

    Args:
        text: English; a literal, so that it is found by who translates.
        values: for the names in it.
    """
    translated = _chosen.text(text)
    if not values:
        return translated
    return filled(translated, {name: value_in_figures(one) for name, one in values.items()})


def trn(one: str, many: str, number: int, **values: object) -> str:
    """A sentence with a count: ``{number}`` in it has separators of thousands.

    Args:
        one: English, for exactly one.
        many: English, for every other count.
        number: the count.
        values: for further names in it.
    """
    known = {name: value_in_figures(value) for name, value in values.items()}
    return filled(_chosen.counted(one, many, number), {**known, "number": in_figures(f"{number:,}")})


def translated(text: str | None) -> str:
    """A sentence, or some, of another room or of a server, in which values stand already.

    Args:
        text: English, as an error, a finding or an answer says it; what is not known stays as it is.
    """
    if not text or _chosen is ENGLISH:
        return text or ""
    return _found(text, DEEPEST)


def named(display: str) -> str:
    """``Tomato: early blight``, or one of its halves, where the vocabulary knows it; else as it is."""
    if _chosen is ENGLISH:
        return display
    return ": ".join(_name(one) for one in display.split(": "))


def _name(text: str) -> str:
    for english, after in ((text, str), (text[:1].lower() + text[1:], _upper)):
        found = _chosen.texts.get((NAME, english))
        if found is not None:
            return after(found)
    return text


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


@lru_cache(REMEMBERED)
def _found(text: str, deep: int) -> str:
    exact = _chosen.texts.get((SAID, text)) or _chosen.texts.get(("", text))
    if exact is not None:
        return exact
    template = _chosen.templates.find(text)
    if template is not None:
        found, values = template
        return filled(
            _chosen.text(found.text, SAID), {name: _value(value, deep - 1) for name, value in values.items()}
        )
    ends = [0, *(at for end in SENTENCE_ENDS.finditer(text) for at in end.span()), len(text)]
    if len(ends) == 2:
        return named(text)
    pieces = [text[start:end] for start, end in pairwise(ends)]
    return "".join(piece if at % 2 else _found(piece, deep) for at, piece in enumerate(pieces))


def _value(text: str, deep: int) -> str:
    shown = value_in_figures(text)
    if isinstance(shown, str) and shown is not text:
        return shown
    return _found(text, deep) if deep else named(text)
