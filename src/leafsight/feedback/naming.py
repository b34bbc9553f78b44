"""Names of classes as people write them, and the classes that they mean.

Enters: a name, the classes of a model, and those that were declared. Leaves: the label that a photograph
would be learned as. Spelling is the taxonomy's business. It does not know photographs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leafsight.errors import UsageError
from leafsight.feedback.records import LONGEST_CLASS
from leafsight.taxonomy import find_class


@dataclass(frozen=True, slots=True)
class Named:
    """The class that a name means.

    Attributes:
        label: as the model spells it, or as it was declared, or the cleaned name.
        position: in the classes of the model; None for a class that it does not know.
        declared: whether somebody said that it may be learned. True for classes of the model.
    """

    label: str
    position: int | None
    declared: bool


class ClassNames:
    """Finds the class that a name means; case, spaces and punctuation do not count.

    Args:
        classes: of the model, as it spells them.
        declared: names of classes that may be learned beside those.
    """

    def __init__(self, classes: Sequence[str], declared: Iterable[str] = ()) -> None:
        self._classes = tuple(classes)
        self._positions = {name: at for at, name in enumerate(classes)}
        self._by_key: dict[str, int] = {}
        for at, name in enumerate(classes):
            self._by_key.setdefault(_key(name), at)
        self._declared: dict[str, str] = {}
        for name in declared:
            self._declared.setdefault(_key(name), name)
        self._found: dict[str, Named] = {}

    def named(self, spelling: str) -> Named:
        """The class that ``spelling`` means.

        Raises:
            UsageError: nothing is left of the name once it is cleaned.
        """
        if spelling not in self._found:
            self._found[spelling] = self._name(spelling)
        return self._found[spelling]

    def _name(self, spelling: str) -> Named:
        cleaned = clean_class_name(spelling)
        at = self._positions.get(cleaned)
        key = _key(cleaned)
        if at is None:
            at = self._by_key.get(key)
        if at is not None:
            return Named(self._classes[at], at, True)
        declared = self._declared.get(key)
        return Named(declared or cleaned, None, declared is not None)


def clean_class_name(spelling: str) -> str:
    """A name that may stand in a list of classes: one line, no control characters, not too long.

    Raises:
        UsageError: nothing is left of it.
    """
    kept = "".join(
        " " if unicodedata.category(letter)[0] in "CZ" else letter
        for letter in unicodedata.normalize("NFC", spelling[: 4 * LONGEST_CLASS])
    )
    # What leads out of a folder elsewhere, or looks as if it did, has no place in a name.
    name = re.sub(r"\.{2,}", ".", " ".join(kept.split())).strip(" ./\\")[:LONGEST_CLASS].strip()
    if not any(letter.isalnum() for letter in name):
        raise UsageError(
            f"a class needs a name, got {spelling[:80]!r}", hint="name what the photograph shows"
        )
    return name


def _key(name: str) -> str:
    """Equal for names that mean the same class; of a name that the vocabulary does not know, its letters."""
    found = find_class(name)
    if found.known:
        return found.key
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] in "LMN")
