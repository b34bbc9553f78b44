"""The records of the vocabulary: plain frozen values, equal when their contents are equal.

They hold words only, no behaviour beyond reading themselves. Where they come from is the business of
``vocabulary`` and ``cards``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NOT_A_LEAF = "not_a_leaf"
"""Key of the class for photographs without any leaf (``Background_without_leaves`` in PlantVillage)."""

HEALTHY = "healthy"
"""Key of the condition of a leaf that shows nothing."""

CauseKind = Literal[
    "bacterium", "deficiency", "fungus", "insect", "mite", "mixed", "none", "oomycete", "unknown", "virus"
]
"""What sort of thing causes a condition; ``unknown`` only for conditions that are not in the vocabulary."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A cultivated plant.

    Attributes:
        key: lower-case word of the vocabulary, such as ``black_gram``.
        name: English name, in the form used inside a sentence.
        latin: Latin name; empty for a crop that is not in the vocabulary.
        also: other names that people use.
        within: key of the wider crop that this one belongs to (``orange`` within ``citrus``), or empty.
    """

    key: str
    name: str
    latin: str = ""
    also: tuple[str, ...] = ()
    within: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a leaf shows: a disease, a pest, a lack of nutrients, or nothing (``healthy``).

    Attributes:
        key: lower-case word of the vocabulary, such as ``early_blight``.
        name: English name, in the form used inside a sentence.
        kind: what sort of thing causes it.
        agents: Latin names (for viruses, the English ones) of what causes it, over all its crops.
        crops: keys of the crops on which the vocabulary has it.
    """

    key: str
    name: str
    kind: CauseKind
    agents: tuple[str, ...] = ()
    crops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlantClass:
    """One class of a classifier: a condition on a crop.

    Attributes:
        key: ``crop/condition``, such as ``tomato/early_blight``; the condition alone without a crop.
        crop: None for ``not_a_leaf`` and for names from which no crop can be read.
        condition: never None; for a name that is not in the vocabulary it is made from the spelling.
        agent: what causes the condition on this crop; empty when nothing does or it is not known.
        eppo: code of that agent in the EPPO Global Database, or empty.
        same_as: key of the class that another collection uses for the same disease, or empty.
        known: whether the class is in the vocabulary.
    """

    key: str
    crop: Crop | None
    condition: Condition
    agent: str = ""
    eppo: str = ""
    same_as: str = ""
    known: bool = True

    @property
    def is_healthy(self) -> bool:
        """True for a leaf that shows nothing; False for every condition and for ``not_a_leaf``."""
        return self.condition.key == HEALTHY

    @property
    def is_leaf(self) -> bool:
        """False only for ``not_a_leaf``."""
        return self.key != NOT_A_LEAF

    @property
    def display(self) -> str:
        """The class for people, such as ``Tomato: early blight``."""
        if self.crop is None:
            return _sentence_case(self.condition.name)
        return f"{_sentence_case(self.crop.name)}: {self.condition.name}"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the statements of a card can be read.

    Attributes:
        institution: who published it.
        title: the title of the fact sheet or database entry.
        url: its address where we have seen it, else empty.
    """

    institution: str
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What a person should know about one class. Plain text; no dosage, no product names.

    Attributes:
        key: key of the class that the card is about.
        what_it_is: cause and how it lives.
        looks_like: what is seen on the leaf.
        mistaken_for: keys of the classes that look alike.
        told_apart: how to tell those, and look-alikes outside the vocabulary, from this one.
        growers_do: cultural practice that is common.
        ask_an_expert: when a photograph is not enough.
        sources: at least one.
    """

    key: str
    what_it_is: str
    looks_like: str
    mistaken_for: tuple[str, ...]
    told_apart: str
    growers_do: str
    ask_an_expert: str
    sources: tuple[Source, ...]


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
