"""What a recipe says about experiments on itself: ablations and the space of a search.

Enters: plain values from a TOML file. Leaves: checked, immutable options. Nothing here acts, and nothing here
decides the weights of the recipe's own run; room ``experiments`` follows it.
"""

from __future__ import annotations

from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from leafsight.training.options import Table

MetricName = Literal["accuracy", "macro_f1", "auc"]
SearchMetric = Literal["accuracy", "macro_f1"]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Changes = dict[str, Any]
SLUG = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
MOST_VARIANTS = 200


class Variant(Table):
    """One row of an ablation: the recipe with some values changed, or its runs looked at in another way.

    ``change`` maps key paths (as in ``--set``) to values. ``views`` averages so many views of each judged
    photograph. ``average`` makes one network of so many runs of the same variant with other seeds (greedy
    soup). ``like`` names a variant whose changes come first. ``published`` is what the original reached.
    """

    name: str = Field(pattern=SLUG)
    title: str = ""
    like: str = ""
    change: Changes = Field(default={})
    views: int = Field(default=1, ge=1, le=8)
    average: int = Field(default=0, ge=0, le=16)
    published: float | None = Field(default=None, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _averages_several(self) -> Variant:
        if self.average == 1:
            raise ValueError("average of 0 (none) or at least 2 runs")
        return self


class AblationOptions(Table):
    """A table of variants, each run with the same seeds on the same photographs.

    ``grid`` maps key paths to lists of values and stands for every combination, after ``variants``.
    ``against`` is the variant that the others are compared with, the first one when empty. ``smallest`` adds
    the mean recall of so many of the classes with the fewest training photographs.
    """

    title: str = ""
    metric: MetricName = "accuracy"
    seeds: tuple[Seed, ...] = Field(default=(0, 1, 2), min_length=1)
    against: str = ""
    smallest: int = Field(default=0, ge=0)
    variants: tuple[Variant, ...] = ()
    grid: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(default={})

    @model_validator(mode="after")
    def _names_are_known(self) -> AblationOptions:
        rows = self.rows()
        names = [row.name for row in rows]
        if not 1 <= len(rows) <= MOST_VARIANTS:
            raise ValueError(f"1 to {MOST_VARIANTS} variants, there are {len(rows)}")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds that differ")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"variants with names of their own, not twice {', '.join(twice)}")
        if self.against and self.against not in names:
            raise ValueError(f"against one of {', '.join(names)}")
        for position, row in enumerate(rows):
            if row.like and row.like not in names[:position]:
                raise ValueError(f"like a variant that stands before '{row.name}', not '{row.like}'")
        return self

    def rows(self) -> tuple[Variant, ...]:
        """The variants and every combination of the grid, in order."""
        if not self.grid:
            return self.variants
        combinations = [dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())]
        return (*self.variants, *(grid_variant(one) for one in combinations))

    def changes_of(self, variant: Variant) -> Changes:
        """Every change of a variant, those of the variants that it is like first."""
        before = next((row for row in self.rows() if row.name == variant.like), None)
        return {**(self.changes_of(before) if before else {}), **variant.change}


class SearchRange(Table):
    """The values that a search may try for one key: a range, or a list of choices."""

    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False
    choices: tuple[Any, ...] = ()

    @model_validator(mode="after")
    def _one_of_two(self) -> SearchRange:
        ranged = self.low is not None and self.high is not None
        if bool(self.choices) == ranged or (self.low is None) != (self.high is None):
            raise ValueError("either low and high, or choices")
        if self.low is not None and self.high is not None:
            if not self.low < self.high:
                raise ValueError(f"low < high, not {self.low} and {self.high}")
            if self.log and self.low <= 0:
                raise ValueError("low > 0 on a logarithmic scale")
        return self


class SearchOptions(Table):
    """What ``leafsight tune`` tries: a range for each key path, how often, and by which number of validation.

    ``warmup_epochs``: no trial is pruned before so many epochs of its last stage.
    """

    metric: SearchMetric = "accuracy"
    trials: int = Field(default=30, ge=1, le=10_000)
    seed: Seed = 0
    warmup_epochs: int = Field(default=2, ge=0)
    space: dict[str, SearchRange] = Field(min_length=1)


def grid_variant(change: Changes) -> Variant:
    """A variant that is called by its changes: the last part of each key and the value."""
    words = [f"{key.rpartition('.')[2]}-{_word(value)}" for key, value in change.items()]
    said = [f"{key.rpartition('.')[2]} = {value}" for key, value in change.items()]
    return Variant(name="_".join(words), title=", ".join(said), change=change)


def _word(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    kept = "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in text)
    return "-".join(part for part in kept.split("-") if part)[:40] or "none"
