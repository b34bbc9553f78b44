"""The space of a search: its keys, what may be tried for each, and where the recipe itself stands in it.

Enters: a recipe's table ``[search]``. Leaves: a checked space, and for a trial the changes that it tries. It
does not know how a trial is run or remembered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import optuna

from leafsight.errors import ConfigError, Fault
from leafsight.storage import canonical_json
from leafsight.training import Recipe, RecipeFile, SearchOptions, SearchRange

Space = Mapping[str, SearchRange]
Changes = dict[str, Any]

# Keys that a search may not move. Photographs and split stay, or validation would measure something else in
# every trial; of seeds a search would find the luckiest, which is no better than the others.
FIXED = ("data", "recipe", "search", "ablations", "seed")
INSIDE = 0.382  # of a range: a value between its ends that is no whole number by chance
EXAMPLE = """[search]
trials = 30

[search.space]
"stages.0.learning_rate" = { low = 1e-4, high = 1e-1, log = true }
"optimizer.weight_decay" = { low = 1e-4, high = 1e-1, log = true }
"augmentation.preset" = { choices = ["light", "standard"] }"""


def search_options(file: RecipeFile) -> SearchOptions:
    """The table ``[search]`` of a recipe, with every key of its space tried once.

    Args:
        file: with the overrides applied.

    Raises:
        ConfigError: the recipe is wrong, has no table ``[search]``, or a key or value of the space cannot be
            used (all of them are listed).
    """
    options = file.recipe().search
    if options is None:
        raise ConfigError(
            f"{file.where} does not say what to search: it has no table [search]",
            hint=f"add one to your copy (leafsight recipes cp), such as\n{EXAMPLE}",
        )
    faults = [fault for key, tried in options.space.items() for fault in _faults(file, key, tried)]
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise ConfigError(f"{file.where}: the space has {count}", faults=faults)
    return options


def _faults(file: RecipeFile, key: str, tried: SearchRange) -> list[Fault]:
    """What is wrong with one key: the recipe is read with the ends of its range, or with each choice."""
    where = f"{file.where}, search.space"
    if key.partition(".")[0] in FIXED:
        return [Fault(where, key, "a key that a search may not change", f"none of {', '.join(FIXED)}")]
    if tried.integer and not all(float(end or 0.0).is_integer() for end in (tried.low, tried.high)):
        return [Fault(where, key, f"{tried.low} and {tried.high}", "whole numbers, as integer is true")]
    found: dict[str, Fault] = {}
    for value in _probes(tried):
        try:
            file.recipe({key: value})
        except ConfigError as error:
            if not error.faults:
                raise
            for fault in error.faults:
                got = fault.got if fault.key == key else f"with {value}: {fault.got}"
                found[str(fault)] = Fault(where, fault.key, got, fault.wanted, fault.nearest)
    return list(found.values())[:1]


def _probes(tried: SearchRange) -> list[Any]:
    if tried.choices:
        return list(tried.choices)
    low, high = ends(tried)
    if tried.integer:
        return [int(low), int(high)]
    return [low, low + INSIDE * (high - low), high]


def ends(tried: SearchRange) -> tuple[float, float]:
    """Both ends of a range that has them."""
    assert tried.low is not None
    assert tried.high is not None
    return tried.low, tried.high


def suggest(trial: optuna.Trial, space: Space, left_out: Iterable[str] = ()) -> Changes:
    """What a trial tries: key path -> value.

    Args:
        trial: asks the sampler, or says what was laid down for it.
        space: the keys.
        left_out: keys that stay as the recipe has them.
    """
    skipped = set(left_out)
    return {key: _suggested(trial, key, tried) for key, tried in space.items() if key not in skipped}


def _suggested(trial: optuna.Trial, key: str, tried: SearchRange) -> Any:
    if tried.choices:
        # As JSON, for a choice may be a list, and Optuna's stores hold plain values only.
        return json.loads(trial.suggest_categorical(key, [canonical_json(one) for one in tried.choices]))
    low, high = ends(tried)
    if tried.integer:
        return trial.suggest_int(key, int(low), int(high), log=tried.log)
    return _readable(trial.suggest_float(key, low, high, log=tried.log), tried)


def _readable(value: float, tried: SearchRange) -> float:
    """Four digits, so that people can read the best recipe; still inside of the range."""
    low, high = ends(tried)
    return min(max(float(f"{value:.4g}"), low), high)


def changes_of(params: Mapping[str, Any], space: Space) -> Changes:
    """What Optuna remembers of a trial as key path -> value, in the order of the space."""
    found: Changes = {}
    for key, tried in space.items():
        if key in params:
            value = params[key]
            if tried.choices:
                value = json.loads(value)
            found[key] = _readable(value, tried) if isinstance(value, float) and not tried.choices else value
    return found


def own_value(recipe: Recipe, key: str) -> Any:
    """What the recipe itself says at a key path, defaults included; None where it says nothing."""
    here: Any = recipe.model_dump(mode="json")
    for part in key.split("."):
        if isinstance(here, list):
            names = [member.get("name") if isinstance(member, dict) else None for member in here]
            here = dict(zip(names, here, strict=True)).get(part) or (
                here[int(part)] if part.isdigit() and int(part) < len(here) else None
            )
        else:
            here = here.get(part) if isinstance(here, dict) else None
    return here


def own_params(recipe: Recipe, space: Space) -> dict[str, Any]:
    """The recipe's own values in Optuna's form; keys whose value lies outside of the space are left out."""
    found: dict[str, Any] = {}
    for key, tried in space.items():
        value = own_value(recipe, key)
        if tried.choices:
            if canonical_json(value) in [canonical_json(one) for one in tried.choices]:
                found[key] = canonical_json(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            low, high = ends(tried)
            if low <= value <= high:
                found[key] = int(value) if tried.integer else float(value)
    return found
