"""Recipes as TOML: found by name or path, overridden key by key, written out as resolved.

Enters: a name of a shipped recipe or the path of a file, and ``key.path=value`` overrides. Leaves: a
``Recipe``, or one error that holds every fault.
"""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leafsight.errors import ConfigError, Fault, validated
from leafsight.storage import os_errors_translated
from leafsight.training.catalogue import SUFFIX, recipe_text
from leafsight.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A recipe as it was written, before defaults: what experiments change and read again.

    Attributes:
        where: the name or path, for messages.
        values: the tables of the file with the overrides applied.
        faults: overrides that could not be followed.
    """

    where: str
    values: dict[str, Any]
    faults: tuple[Fault, ...] = ()

    def recipe(self, changes: Mapping[str, Any] | None = None) -> Recipe:
        """The checked recipe, with some more values changed.

        Args:
            changes: key path -> value, as in ``--set``.

        Raises:
            ConfigError: keys and values are wrong (all of them are listed).
        """
        values = copy.deepcopy(self.values)
        faults = list(self.faults)
        for key, value in (changes or {}).items():
            faults += _change(values, key, copy.deepcopy(value))
        try:
            recipe = validated(Recipe, values, self.where)
        except ConfigError as error:
            if not faults:
                raise
            raise ConfigError(
                f"{self.where}: {len(faults) + len(error.faults)} faults", faults=[*faults, *error.faults]
            ) from error
        if faults:
            raise ConfigError("overrides cannot be used", faults=faults)
        return recipe


def read_recipe_file(path_or_name: str | Path, overrides: Sequence[str] = ()) -> RecipeFile:
    """Read a recipe's tables without checking them.

    Args:
        path_or_name: a shipped name such as ``quick``, or the path of a TOML file.
        overrides: as for ``load_recipe``.

    Raises:
        ConfigError: the file is not TOML.
        UsageError: no such recipe.
    """
    where, text = _source(path_or_name)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}", hint="mind quotes and brackets") from error
    faults = [fault for override in overrides for fault in _override(values, override)]
    return RecipeFile(where, values, tuple(faults))


def load_recipe(path_or_name: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe.

    Args:
        path_or_name: a shipped name such as ``quick``, or the path of a TOML file.
        overrides: ``key.path=value`` each; the value is TOML (``3``, ``true``, ``[1, 2]``) or else a word;
            stages are named or counted from 0: ``stages.head.epochs=3``, ``stages.0.epochs=3``.

    Raises:
        ConfigError: the file is not TOML, or keys and values are wrong (all of them are listed).
        UsageError: no such recipe.
    """
    return read_recipe_file(path_or_name, overrides).recipe()


def _source(path_or_name: str | Path) -> tuple[str, str]:
    path = Path(path_or_name)
    is_path = isinstance(path_or_name, Path) or path.suffix == SUFFIX or len(path.parts) > 1
    if not is_path:
        return f"recipe {path_or_name}", recipe_text(str(path_or_name))
    with os_errors_translated(path):
        return str(path), path.read_text(encoding="utf-8", errors="replace")


def _override(values: dict[str, Any], override: str) -> list[Fault]:
    """Apply one override in place; a fault instead when it cannot be followed."""
    key, equals, text = override.partition("=")
    if not equals:
        return [Fault("override", override, "no 'key.path=value'", "such as stages.0.epochs=3")]
    return _change(values, key, parsed_value(text.strip()))


def _change(values: dict[str, Any], key: str, value: Any) -> list[Fault]:
    """Set the value at a key path in place; a fault instead when the path leads nowhere."""
    keys = key.strip().split(".")
    if not all(keys):
        return [Fault("override", key, "no 'key.path=value'", "such as stages.0.epochs=3")]
    here: Any = values
    for part in keys[:-1]:
        below = _enter(here, part)
        if below is None:
            return [Fault("override", key, f"'{part}' leads nowhere", "the path of a key")]
        here = below
    if not isinstance(here, dict):
        return [Fault("override", key, "a value inside a list", "the path of a key")]
    here[keys[-1]] = value
    return []


def _enter(here: Any, part: str) -> Any:
    """The table or list member called ``part``; an absent table is made."""
    if isinstance(here, dict):
        below = here.setdefault(part, {})
        return below if isinstance(below, dict | list) else None
    names = [member.get("name") if isinstance(member, dict) else None for member in here]
    if part in names:
        return here[names.index(part)]
    return here[int(part)] if part.isdigit() and int(part) < len(here) else None


def parsed_value(text: str) -> Any:
    """A value as TOML (``3``, ``true``, ``[1, 2]``), or else the word itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def recipe_as_toml(recipe: Recipe) -> str:
    """The whole recipe with every default filled in, as TOML that ``load_recipe`` reads back equal."""
    return "\n".join(_table_lines(recipe.model_dump(mode="json"), ())).lstrip("\n") + "\n"


def _table_lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in table.items() if not _is_table(value) and value is not None}
    lines = [f"{_key(key)} = {_toml(value)}" for key, value in plain.items()]
    for key, value in table.items():
        here = (*path, _key(key))
        if isinstance(value, Mapping):
            lines += ["", f"[{'.'.join(here)}]", *_table_lines(value, here)]
        elif _is_table(value):
            for member in value:
                lines += ["", f"[[{'.'.join(here)}]]", *_table_lines(member, here)]
    return lines


def _is_table(value: Any) -> bool:
    members = isinstance(value, list) and bool(value) and all(isinstance(member, Mapping) for member in value)
    return isinstance(value, Mapping) or members


def _key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else json.dumps(key)


def _toml(value: Any) -> str:
    # JSON spells strings, numbers, booleans and lists of them as TOML does, but for one control character.
    if isinstance(value, list):
        return f"[{', '.join(_toml(member) for member in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
