"""A learning-rate range test before a search: it narrows the learning rates that the trials try.

Enters: a recipe, its space and photographs. Leaves: for every stage whose learning rate is searched the rate
that the finder suggests, its curve, and a narrower range. Each stage is tested from the weights that the run
starts from, not from those that the stages before it would leave: the answer is a hint, so a decade on either
side of it stays.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from leafsight.errors import TrainingError
from leafsight.experiments.search_space import Space, ends, own_value
from leafsight.models import load_pretrained
from leafsight.progress import Progress
from leafsight.training import Recipe, SearchRange, TrainingData, find_learning_rate, new_network

RATE_KEY = re.compile(r"stages\.([^.]+)\.learning_rate")
EITHER_SIDE = 10.0
"""The suggestion is kept within this factor: Smith 2017 (arXiv 1506.01186) reads an order of magnitude."""
BEYOND = 10.0
"""The ramp begins and ends this factor outside of the recipe's range, so that the fall can be seen inside."""
HIGHEST_RATE = 10.0
LEAST_FACTOR = 3.0
"""A narrower range than this is not worth a search; the recipe's is kept."""
FEWEST_STEPS, MOST_STEPS = 30, 100


@dataclass(frozen=True, slots=True)
class RangeTest:
    """What the finder said about one stage.

    Attributes:
        key: of the learning rate in the space.
        suggestion: where the loss fell fastest; None where it could not be found.
        low: lower end of the range that the trials use.
        high: upper end of that range.
        said: in words.
        rates: of the steps.
        losses: smoothed, of the same steps.
    """

    key: str
    suggestion: float | None
    low: float
    high: float
    said: str
    rates: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"rates": list(self.rates), "losses": list(self.losses)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RangeTest:
        """The inverse of ``to_dict``."""
        return cls(**{**values, "rates": tuple(values["rates"]), "losses": tuple(values["losses"])})


def rate_keys(recipe: Recipe, space: Space) -> dict[str, int]:
    """Keys of the space that are the learning rate of a stage, with the stage's number."""
    names = [stage.name for stage in recipe.stages]
    found = {}
    for key, tried in space.items():
        match = RATE_KEY.fullmatch(key)
        if match and not tried.choices:
            found[key] = names.index(match[1]) if match[1] in names else int(match[1])
    return found


def run_range_tests(
    recipe: Recipe,
    space: Space,
    data: TrainingData,
    *,
    pretrained: Path | None = None,
    device: str = "auto",
    steps: int | None = None,
    progress: Progress | None = None,
) -> list[RangeTest]:
    """Test every stage whose learning rate is in the space.

    Args:
        recipe: as it stands.
        space: ranges of learning rates.
        data: its training photographs are used, no others.
        pretrained: weights to start from, as in ``train``.
        device: as in ``train``.
        steps: of each test; None for half of those that the stage has, 30 to 100.
        progress: told of every step.
    """
    found = []
    for key, stage in rate_keys(recipe, space).items():
        low, high = ends(space[key])
        network = new_network(recipe, len(data.classes))
        if pretrained is not None:
            load_pretrained(network, pretrained)
        highest = min(high * BEYOND, max(HIGHEST_RATE, high))
        try:
            curve = find_learning_rate(
                network, recipe, data, stage_index=stage, lowest=low / BEYOND, highest=highest,
                steps=steps or _steps(recipe, stage, data), device=device, progress=progress,
            )  # fmt: skip
        except TrainingError as error:
            found.append(RangeTest(key, None, low, high, f"the range stays: {error.message}"))
            continue
        narrow_low, narrow_high, said = narrowed(space[key], curve.suggestion, own_value(recipe, key))
        found.append(
            RangeTest(key, curve.suggestion, narrow_low, narrow_high, said, curve.rates, curve.losses)
        )
    return found


def _steps(recipe: Recipe, stage: int, data: TrainingData) -> int:
    options = recipe.stages[stage]
    batches = math.ceil(len(data.train_rows) / (options.batch_size or recipe.batch_size))
    return min(max(options.epochs * batches // 2, FEWEST_STEPS), MOST_STEPS)


def narrowed(tried: SearchRange, suggestion: float, own: float) -> tuple[float, float, str]:
    """The part of a range within a factor of ten of a suggestion.

    Args:
        tried: of the recipe.
        suggestion: of the finder.
        own: the recipe's own rate; it stays inside if it was.

    Returns:
        both ends, and what was done in words.
    """
    low, high = ends(tried)
    narrow_low, narrow_high = max(low, suggestion / EITHER_SIDE), min(high, suggestion * EITHER_SIDE)
    if narrow_high < narrow_low * LEAST_FACTOR:
        return low, high, f"the range stays: the suggestion {suggestion:.2g} lies at its edge or outside"
    if low <= own <= high:
        narrow_low, narrow_high = min(narrow_low, own), max(narrow_high, own)
    if (narrow_low, narrow_high) == (low, high):
        return low, high, f"the range stays: all of it is within ten times of the suggestion {suggestion:.2g}"
    return narrow_low, narrow_high, f"narrowed to ten times on either side of the suggestion {suggestion:.2g}"


def narrowed_space(space: Space, tests: Sequence[RangeTest]) -> dict[str, SearchRange]:
    """The space with the ranges of the tests."""
    ranges = {test.key: {"low": test.low, "high": test.high} for test in tests}
    return {key: tried.model_copy(update=ranges.get(key, {})) for key, tried in space.items()}
