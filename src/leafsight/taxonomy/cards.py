"""Cards of advice, one TOML file a crop, read when the first card of that crop is asked for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from leafsight.errors import TaxonomyError
from leafsight.taxonomy.lookup import find_class
from leafsight.taxonomy.records import Card, Source
from leafsight.taxonomy.vocabulary import vocabulary

CARDS_FOLDER = Path(__file__).with_name("cards")


def has_card(key: str) -> bool:
    """Whether :func:`card` has something to say about a class, given by key or any spelling."""
    return _written(key) is not None


def card(key: str) -> Card:
    """The card of a class.

    Args:
        key: ``crop/condition`` or any spelling that :func:`find_class` understands.

    Raises:
        TaxonomyError: there is none, as for classes that are not in the vocabulary.
    """
    found = _written(key)
    if found is None:
        raise TaxonomyError(
            f"there is no card for '{key}'",
            hint="cards describe the classes of the vocabulary; ask has_card() before showing one",
        )
    return found


def _written(key: str) -> Card | None:
    plant_class = find_class(key)
    if not plant_class.known or plant_class.crop is None:
        return None
    return _cards_of(plant_class.crop.key).get(plant_class.key)


@cache
def _cards_of(crop: str) -> dict[str, Card]:
    """All cards of one crop of the vocabulary, by class key."""
    import tomllib

    path = CARDS_FOLDER / f"{crop}.toml"
    if crop not in vocabulary().crops or not path.is_file():
        return {}
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {f"{crop}/{name}": _card(f"{crop}/{name}", table) for name, table in tables.items()}


def _card(key: str, table: dict[str, Any]) -> Card:
    return Card(
        key=key,
        what_it_is=table["what_it_is"],
        looks_like=table["looks_like"],
        mistaken_for=tuple(table["mistaken_for"]),
        told_apart=table["told_apart"],
        growers_do=table["growers_do"],
        ask_an_expert=table["ask_an_expert"],
        sources=tuple(Source(**source) for source in table["sources"]),
    )
