"""What the parameters of the classifier ask for: a recipe, where to start from, where to work.

Enters: parameters as people give them. Leaves: an ``Order``, or what is wrong with it. It does not know
photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from leafsight.estimator.photographs import InputError
from leafsight.progress import Progress

if TYPE_CHECKING:
    from leafsight.training import Recipe

SPLITS = ("train", "valid", "calibration", "test")
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Order:
    """How to fit.

    Attributes:
        recipe: as resolved.
        pretrained: a file of weights or a bundle, ``builtin``, ``none``; the recipe decides when ``None``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        threads: that decode and run the exported graph; ``None`` takes two.
        work_dir: where pictures and runs are kept, or ``None`` for a temporary folder.
        progress: told of every step.
    """

    recipe: Recipe
    pretrained: str | None
    device: str
    threads: int | None
    work_dir: Path | None
    progress: Progress


def resolved_recipe(
    recipe: str | Path, overrides: Sequence[str], validation_fraction: float | None, seed: int | None
) -> Recipe:
    """The recipe with what the parameters of the classifier say on top.

    Args:
        recipe: name or path.
        overrides: ``KEY=VALUE`` each.
        validation_fraction: share of validation, of calibration and of test; the recipe's when ``None``.
        seed: of the split and of training; the recipe's when ``None``.

    Raises:
        ConfigError, UsageError: as ``load_recipe``.
        InputError: the recipe leaves out one of the four splits, or the fraction leaves nothing to train on.
    """
    from leafsight.training import read_recipe_file

    changes: dict[str, Any] = {}
    if validation_fraction is not None:
        if not 0 < validation_fraction < 1 / 3:
            raise InputError(
                f"validation_fraction is {validation_fraction}, wanted above 0 and below 1/3",
                hint="it is taken three times: for validation, calibration and test",
            )
        shares = dict.fromkeys(SPLITS[1:], validation_fraction)
        changes["data.ratios"] = {"train": 1 - sum(shares.values()), **shares}
    if seed is not None:
        changes |= {"seed": seed, "data.seed": seed}
    found = read_recipe_file(recipe, overrides).recipe(changes)
    missing = [split for split in SPLITS if split not in found.data.ratios]
    if missing:
        raise InputError(
            f"the recipe has no share for {' and '.join(missing)}, which a model file needs",
            hint="give it one in data.ratios, or say validation_fraction",
        )
    return found


def seed_of(random_state: Any) -> int | None:
    """A whole number as it is; a random generator gives its next one; ``None`` leaves it to the recipe."""
    if random_state is None:
        return None
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(LARGEST_SEED))
