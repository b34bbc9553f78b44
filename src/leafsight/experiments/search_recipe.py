"""The best recipe as a file of its own: the text as its author wrote it, with the found values in it.

Enters: the text of a recipe and changes. Leaves: text that ``leafsight train`` follows; comments and order
stay.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from leafsight.errors import LeafsightError
from leafsight.training import Recipe, RecipeFile, parsed_value, recipe_as_toml

TUNED = "-tuned"
UNUSUAL = (TOMLKitError, LeafsightError, TypeError, ValueError, KeyError, IndexError, AttributeError)


def recipe_with(
    text: str,
    overrides: Sequence[str],
    changes: Mapping[str, Any],
    wanted: Recipe,
    *,
    said: str,
    command: str,
) -> str:
    """A recipe's text with some values changed.

    Args:
        text: TOML, as its author wrote it.
        overrides: ``key.path=value`` each.
        changes: key path -> value.
        wanted: what shall come out: the recipe with both.
        said: where the values come from; a comment at the top.
        command: for the header of the recipe.

    Returns:
        TOML that reads back as ``wanted`` under another name; where that cannot be had from the author's
        text, every key with its value and no comments.
    """
    top = "".join(f"# {line}\n" for line in said.splitlines()) + "\n"
    header = {"name": wanted.recipe.name.removesuffix(TUNED) + TUNED, "command": command}
    pairs = (override.partition("=") for override in overrides)
    values = {key.strip(): parsed_value(value.strip()) for key, _, value in pairs} | dict(changes)
    try:
        written = top + _edited(text, values, header)
        if RecipeFile("", tomllib.loads(written)).recipe().fingerprint() == wanted.fingerprint():
            return written
    except UNUSUAL:
        pass  # a spelling that cannot be edited, which the plain form below does not depend on
    renamed = wanted.recipe.model_copy(update={**header, "expect": None})
    return top + recipe_as_toml(wanted.model_copy(update={"recipe": renamed}))


def _edited(text: str, values: Mapping[str, Any], header: Mapping[str, str]) -> str:
    document = tomlkit.parse(text)
    for key, value in values.items():
        *path, last = key.split(".")
        here: Any = document
        for part in path:
            here = _below(here, part)
        here[last] = value
    table: Any = document["recipe"]
    table.update(header)
    table.pop("expect", None)  # it was promised of other values
    return tomlkit.dumps(document)


def _below(here: Any, part: str) -> Any:
    """The table or list member called ``part``; an absent table is made."""
    if isinstance(here, list):
        names = [member.get("name") for member in here]
        return here[names.index(part) if part in names else int(part)]
    return here.setdefault(part, tomlkit.table())
