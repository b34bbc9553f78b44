"""Which runs an ablation needs, where they lie, and which rows of the table each of them serves.

Enters: a recipe as it was written and the name of one of its tables ``ablations``. Leaves: the rows with
their recipes, checked before anything is trained. Nothing is trained or judged here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from leafsight.errors import ConfigError, Fault, UsageError, nearest
from leafsight.storage import canonical_json
from leafsight.training import AblationOptions, Recipe, RecipeFile, Variant

SEED_STEP = 1000
EXAMPLE = """such as
[[ablations.parts.variants]]
name = "all"
[[ablations.parts.variants]]
name = "no-smoothing"
change = { "loss.label_smoothing" = 0.0 }"""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One network to train: a recipe with its seed, and the folder it goes to (below the ablation's)."""

    recipe: Recipe
    place: Path


@dataclass(frozen=True, slots=True)
class Cell:
    """One row with one seed: the runs that it needs, and how they are looked at.

    Attributes:
        seed: of the table.
        runs: one, or those whose weights are averaged.
        place: of what is judged: the run itself, or the mean of the runs.
        views: averaged views of each photograph.
    """

    seed: int
    runs: tuple[PlannedRun, ...]
    place: Path
    views: int


@dataclass(frozen=True, slots=True)
class Row:
    """One variant with a cell for each seed."""

    variant: Variant
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class AblationPlan:
    """The whole table before it is run.

    Attributes:
        name: of the table in the recipe.
        recipe: as it stands, for its header.
        options: the table's own.
        rows: in order; the row that the others are compared with is ``against``.
        changes: that hold for every row, such as a smaller share of the data.
    """

    name: str
    recipe: Recipe
    options: AblationOptions
    rows: tuple[Row, ...]
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def against(self) -> str:
        """Name of the row that the others are compared with."""
        return self.options.against or self.rows[0].variant.name

    @property
    def runs(self) -> tuple[PlannedRun, ...]:
        """Every run once, all rows of the first seed first, so that a whole table stands early."""
        found: dict[Path, PlannedRun] = {}
        for number in range(len(self.options.seeds)):
            for row in self.rows:
                for run in row.cells[number].runs:
                    found.setdefault(run.place, run)
        return tuple(found.values())


def plan_ablation(
    source: RecipeFile,
    name: str = "",
    *,
    only: Sequence[str] = (),
    grid: Mapping[str, Sequence[Any]] | None = None,
    seeds: Sequence[int] = (),
    changes: Mapping[str, Any] | None = None,
) -> AblationPlan:
    """Work out every run of one table.

    Args:
        source: the recipe as it was written.
        name: of the table; the recipe's first one when empty.
        only: names of the variants to run; all when empty. The one to compare with always comes along.
        grid: key path -> values, instead of a table of the recipe: the recipe as it stands and every
            combination.
        seeds: instead of the table's own.
        changes: key path -> value for every row, applied before the row's own.

    Raises:
        UsageError: the recipe has no table of that name, or no such variant.
        ConfigError: a variant's changes do not give a recipe; every fault of every variant is told.
    """
    common = dict(changes or {})
    recipe = source.recipe(common)
    if grid:
        values = {key: list(chosen) for key, chosen in grid.items()}
        options = AblationOptions.model_validate({"variants": [{"name": "as-it-is"}], "grid": values})
        name = name or "grid"
    else:
        name, options = _table(recipe, name)
    options = _with_seeds(_with_only(options, only), seeds)
    recipes = _recipes(source, options, common)
    shared: dict[str, Path] = {}
    rows = tuple(_row(variant, recipes[variant.name], options, shared) for variant in options.rows())
    return AblationPlan(name, recipe, options, rows, common)


def _table(recipe: Recipe, name: str) -> tuple[str, AblationOptions]:
    tables = recipe.ablations
    if not tables:
        raise UsageError(
            f"the recipe {recipe.recipe.name} has no table of ablations", hint=f"add one, {EXAMPLE}"
        )
    if not name:
        return next(iter(tables.items()))
    if name not in tables:
        close = nearest(name, tuple(tables))
        raise UsageError(
            f"the recipe {recipe.recipe.name} has no ablation '{name}'",
            hint=f"{f'did you mean {close}? ' if close else ''}there are: {', '.join(tables)}",
        )
    return name, tables[name]


def _with_only(options: AblationOptions, only: Sequence[str]) -> AblationOptions:
    if not only:
        return options
    rows = {row.name: row for row in options.rows()}
    unknown = [name for name in only if name not in rows]
    if unknown:
        raise UsageError(f"there is no variant '{unknown[0]}'", hint=f"there are: {', '.join(rows)}")
    base = options.against or next(iter(rows))
    kept = [name for name in rows if name in only or name == base]
    # What a kept row is like must stay told: its changes are written out.
    alone = [
        rows[name].model_copy(update={"like": "", "change": options.changes_of(rows[name])}) for name in kept
    ]
    return options.model_copy(update={"variants": tuple(alone), "grid": {}, "against": base})


def _with_seeds(options: AblationOptions, seeds: Sequence[int]) -> AblationOptions:
    if not seeds:
        return options
    return AblationOptions.model_validate({**options.model_dump(), "seeds": tuple(seeds)})


def _recipes(source: RecipeFile, options: AblationOptions, common: Mapping[str, Any]) -> dict[str, Recipe]:
    recipes: dict[str, Recipe] = {}
    faults: list[Fault] = []
    for variant in options.rows():
        try:
            recipes[variant.name] = source.recipe({**common, **options.changes_of(variant)})
        except ConfigError as error:
            found = error.faults or [Fault("", "change", str(variant.change), "a recipe")]
            faults += [replace(one, where=f"variant {variant.name}") for one in found]
    if faults:
        raise ConfigError(f"{source.where}: {len(faults)} faults in its variants", faults=faults)
    return recipes


def _row(variant: Variant, recipe: Recipe, options: AblationOptions, shared: dict[str, Path]) -> Row:
    cells = []
    for seed in options.seeds:
        # Members of one mean differ by their seed; the first is the run of the variant itself.
        seeds = [seed + SEED_STEP * member for member in range(max(1, variant.average))]
        runs = tuple(_run(variant, recipe, one, shared) for one in seeds)
        place = Path(variant.name) / f"mean-{seed}" if variant.average else runs[0].place
        cells.append(Cell(seed, runs, place, variant.views))
    return Row(variant, tuple(cells))


def _run(variant: Variant, recipe: Recipe, seed: int, shared: dict[str, Path]) -> PlannedRun:
    """The run of a variant, or the folder of an earlier variant whose recipe is the same."""
    own = recipe.model_copy(update={"seed": seed, "ablations": {}, "search": None})
    place = shared.setdefault(own.fingerprint(), Path(variant.name) / f"seed-{seed}")
    return PlannedRun(own, place)


def data_key(recipe: Recipe) -> str:
    """Equal for recipes that index and split alike, whatever share or size of the pictures they use."""
    table = recipe.data.model_dump(mode="json")
    kept = {
        key: value
        for key, value in table.items()
        if key not in ("train_fraction", "long_tail", "cache_side_px", "max_cache_bytes")
    }
    return hashlib.sha256(canonical_json(kept).encode()).hexdigest()[:12]
