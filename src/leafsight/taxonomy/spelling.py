"""How spellings are compared and taken apart: case, spaces and punctuation do not count."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

CROP_SEPARATOR = "___"
"""Stands between crop and condition in class names since PlantVillage."""

# Words that collections put around a condition and that say nothing: "Tomato leaf bacterial spot",
# "Corn rust leaf" (PlantDoc), "Tomato with Early Blight", "Healthy Tomato Plant", "late blight of tomato".
_WORDS_BEFORE = ("leaf", "with")
_WORDS_AFTER = ("leaf", "leaves", "plant", "disease", "diseased", "of", "on")


def squash(text: str) -> str:
    """``text`` without case, spaces and punctuation: equal for spellings that mean the same name.

    Letters and digits of every script stay, and so do combining marks, without which words of Indic
    scripts would fall together.
    """
    if text.isascii():
        return "".join(filter(str.isalnum, text.lower()))
    kept = "".join(filter(_is_kept, _folded(text)))
    # Dropping a space can bring a letter and a combining mark together, hence once more.
    return kept if kept.isascii() else _folded(kept)


def as_key(text: str) -> str:
    """``text`` as a lower-case key with underscores; ``text`` itself when it holds no letter or digit."""
    spaced = "".join(letter if _is_kept(letter) else " " for letter in _folded(text))
    return "_".join(spaced.split()) or text.strip()


def as_words(text: str) -> str:
    """``text`` for people: underscores and runs of white space become single spaces, case stays."""
    return " ".join(text.replace("_", " ").split()) or text.strip()


def readings(squashed: str, crop_spellings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every way to read a squashed class name as a crop and a condition, the plainest first.

    Args:
        squashed: what :func:`squash` made of the name.
        crop_spellings: squashed names of crops and their keys.

    Yields:
        Key of the crop, and the squashed text that may name a condition; the longest crop first.
    """
    for text in (squashed, *_without_ending(squashed)):
        cuts = range(len(text), 0, -1)
        for cut in cuts:
            if crop := crop_spellings.get(text[:cut]):
                yield from ((crop, rest) for rest in _conditions_in(text[cut:], text[:cut]))
        for cut in reversed(cuts):
            if crop := crop_spellings.get(text[cut:]):
                yield from ((crop, rest) for rest in _conditions_in(text[:cut], text[cut:]))


def _conditions_in(text: str, crop: str) -> Iterator[str]:
    """What is left of a name beside its crop, as it stands and without the words that say nothing."""
    yield text
    # "Tomato___Tomato_mosaic_virus" says its crop twice.
    yield from (text.removeprefix(word) for word in (crop, *_WORDS_BEFORE) if text.startswith(word))
    yield from _without_ending(text)


def _without_ending(text: str) -> Iterator[str]:
    return (text.removesuffix(word) for word in _WORDS_AFTER if text.endswith(word))


def _folded(text: str) -> str:
    """Compatibility forms and case taken away; Unicode Standard 3.13, D146, compatibility caseless match."""
    decomposed = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", decomposed).casefold())


def _is_kept(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LMN"
