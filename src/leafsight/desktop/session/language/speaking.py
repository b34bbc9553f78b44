"""What everybody calls: a sentence of the window, one of another room, a name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from leafsight.desktop.session.language.catalogue import NAME, SAID, Translation
from leafsight.desktop.session.language.figures import in_figures, value_in_figures
from leafsight.desktop.session.language.patterns import PLACE, Template, filled

SENTENCE_ENDS = re.compile(r"(?<=[.!?]) (?=[A-Z0-9\"“])|; |\n")
TELLS_OF = re.compile(r": \{\w+\}$")
DEEPEST = 3
"""A value in a sentence may be a sentence of ours in turn."""
REMEMBERED = 4096
MOST_TOGETHER = 5
"""Sentences that one template may stretch over."""
MOST_TRIED = 3
"""Templates that a sentence may have been made from."""
MOST_LISTED = 12
"""Of a longer list the parts stay as they are."""
ENGLISH = Translation()
_chosen = ENGLISH


def use_language(translation: Translation) -> None:
    """From now on; what is on the screen already stays as it is."""
    global _chosen
    _chosen = translation if translation.texts or translation.plurals else ENGLISH
    _found.cache_clear()
    _known.cache_clear()
    _parts.cache_clear()


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
    """Sentence by sentence; a template may stretch over several, where it has their ends in itself."""
    ends = _ends(text)
    said, at = [], 0
    while at < len(ends):
        last, one = _next(text, ends, at, DEEPEST)
        said.append(_piece(text[ends[at] : ends[last]], one, deep))
        if last + 1 < len(ends):
            said.append(text[ends[last] : ends[last + 1]])
        at = last + 1
    return "".join(said)


def _ends(text: str) -> list[int]:
    """Where each of its sentences begins and ends."""
    return [0, *(at for end in SENTENCE_ENDS.finditer(text) for at in end.span()), len(text)]


def _next(text: str, ends: Sequence[int], at: int, deep: int) -> tuple[int, _Known | None]:
    """The end of what is said next, and what it is."""
    runs = range(at + 1, min(len(ends), at + 2 * MOST_TOGETHER), 2)
    known = [(last, _known(text[ends[at] : ends[last]], deep)) for last in runs]
    fit = [(last, one) for last, one in known if one is not None]
    if not fit:
        return at + 1, None
    own = [(last, one) for last, one in fit if last <= at + 1 + 2 * one.ends]
    last, one = max(own, key=lambda pair: _weight(pair[1], deep)) if own else fit[0]
    if not deep or not TELLS_OF.search(one.english):
        return last, one
    # What it tells of may itself stretch further than the first sentence.
    template = Template(one.english)
    told = (template.values_in(text[ends[at] :].strip()) or one.values)[template.names[-1]]
    told_last, _ = _next(told, _ends(told), 0, deep - 1)
    if told_last == 1:
        return last, one
    last = at + told_last
    values = template.values_in(text[ends[at] : ends[last]].strip()) or one.values
    return last, replace(one, values=values, around=(one.around[0], ""))


def _piece(text: str, one: _Known | None, deep: int) -> str:
    """What was found, or a list of things that are known, where these say more."""
    if one is None or one.values:
        weight, parts = _parts(text, DEEPEST)
        if weight and weight >= (_weight(one, DEEPEST) if one else 0):
            return ", ".join(part if known is None else _filled(known, deep) for part, known in parts)
    return named(text) if one is None else _filled(one, deep)


def _weight(one: _Known, deep: int) -> int:
    """How many letters are ours in what was found and in its values."""
    if not deep:
        return one.weight
    return one.weight + sum(
        max(_parts(value, deep - 1)[0], known.weight if (known := _known(value, deep - 1)) else 0)
        for value in one.values.values()
        if " " in value
    )


@lru_cache(REMEMBERED)
def _parts(text: str, deep: int) -> tuple[int, tuple[tuple[str, _Known | None], ...]]:
    """A list with commas, divided so that most of it is known: a part may have a comma in itself."""
    items = text.split(", ")
    if not 2 <= len(items) <= MOST_LISTED:
        return 0, ()
    best: list[tuple[int, tuple[tuple[str, _Known | None], ...]]] = [(0, ())]
    for end in range(1, len(items) + 1):
        ways = []
        for start in range(end):
            part = ", ".join(items[start:end])
            known = _known(part, deep)
            if known is not None or start == end - 1:
                weight, before = best[start]
                ways.append((weight + (known.weight if known else 0), (*before, (part, known))))
        best.append(max(ways, key=lambda way: (way[0], len(way[1]))))
    return best[-1]


@dataclass(frozen=True, slots=True)
class _Known:
    """A sentence that a translation has.

    Attributes:
        english: as it stands in the translation.
        context: there.
        values: in it.
        weight: letters of it that never change.
        around: spaces before it; behind it also a full stop that the template has not.
        stop_added: the template has a full stop that the sentence has not.
    """

    english: str
    context: str
    values: Mapping[str, str]
    weight: int
    around: tuple[str, str]
    stop_added: bool = False

    @property
    def ends(self) -> int:
        """Of sentences, before its own."""
        return len(SENTENCE_ENDS.findall(PLACE.sub("0", self.english)))


@lru_cache(REMEMBERED)
def _known(text: str, deep: int) -> _Known | None:
    """The template of a sentence; a full stop more or less makes no other one of it."""
    bare = text.strip()
    around = (text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]) if bare else ("", "")
    stopped = bare.endswith(".")
    other = bare[:-1] if stopped else f"{bare}."
    ways = [(other, f".{around[1]}" if stopped else around[1]), (bare, around[1])]
    for context in (SAID, ""):
        for said, after in reversed(ways):
            if (context, said) in _chosen.texts:
                return _Known(said, context, {}, len(said), (around[0], after), said > bare)
    found = [
        _Known(template.text, SAID, values, template.weight, (around[0], after), said > bare)
        for said, after in ways
        for template, values in islice(_chosen.templates.find(said), MOST_TRIED)
        if said <= bare or template.text.endswith(".")
    ]
    return max(
        found,
        key=lambda one: (_weight(one, deep), bool(TELLS_OF.search(one.english)), one.weight),
        default=None,
    )


def _text_of(one: _Known) -> str:
    text = _chosen.text(one.english, one.context)
    return text.removesuffix(".") if one.stop_added else text


def _filled(one: _Known, deep: int) -> str:
    values = {name: _value(value, deep - 1) for name, value in one.values.items()}
    return one.around[0] + filled(_text_of(one), values) + one.around[1]


def _value(text: str, deep: int) -> str:
    shown = value_in_figures(text)
    if not text or (isinstance(shown, str) and shown is not text):
        return str(shown)
    return _found(text, deep) if deep else named(text)
