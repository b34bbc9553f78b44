"""``leafsight ablate``: parts of a recipe switched off or on one at a time, with seeds and intervals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.terminal import (
    cores,
    decode_limits,
    json_option,
    print_json,
    print_table,
    progress,
    quiet_option,
    settings_for,
    talk,
)
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.experiments import AblationPlan, AblationResult
    from leafsight.progress import Progress
    from leafsight.training import Recipe


@click.command(name="ablate")
@click.argument("recipe")
@click.option(
    "--data",
    "sources",
    multiple=True,
    type=click.Path(path_type=Path),
    help="As for `train`; several times for several.",
)
@click.option("--table", "name", default="", help="Which table of the recipe.  [default: its first]")
@click.option("--only", default="", metavar="A,B", help="These variants only, and the one to compare with.")
@click.option(
    "--vary",
    multiple=True,
    metavar="KEY=[V,...]",
    help="Instead of a table: every combination of these values, against the recipe as it is.",
)
@click.option("--seeds", default="", metavar="0,1,2", help="Instead of the table's own.")
@click.option(
    "--fraction", type=click.FloatRange(0, 1, min_open=True), help="Train on this share of the photographs."
)
@click.option("--split", default="test", show_default=True, help="The photographs that judge.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value for every variant."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of runs and table.  [default: runs/RECIPE-TABLE]",
)
@click.option(
    "--pretrained", help="For variants that start from weights: a file or 'builtin'.  [default: the recipe's]"
)
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Runs at a time.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1.")
@click.option("--dry-run", is_flag=True, help="List the runs and train nothing.")
@quiet_option
@json_option
def command(
    recipe: str,
    sources: tuple[Path, ...],
    name: str,
    only: str,
    vary: tuple[str, ...],
    seeds: str,
    fraction: float | None,
    split: str,
    overrides: tuple[str, ...],
    out: Path | None,
    pretrained: str | None,
    jobs: int,
    device: str,
    dry_run: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train RECIPE with parts changed and say what each part is worth.

    Every variant runs with the same seeds on the same photographs. Finished runs are not done again, so the
    same command goes on where it was, and a second terminal can help. Results: a table here, and index.html,
    table.md, table.tex and table.json in the folder.
    """
    from leafsight.errors import require

    require("torch", "train")
    from leafsight.experiments import plan_ablation
    from leafsight.training import read_recipe_file

    if jobs > 1:
        overrides = (f"threads={max(1, cores() // jobs)}", *overrides)
    plan = plan_ablation(
        read_recipe_file(recipe, overrides),
        name,
        only=[word.strip() for word in only.split(",") if word.strip()],
        grid=_grid(vary),
        seeds=_numbers(seeds),
        changes={"data.train_fraction": fraction} if fraction is not None else {},
    )
    folder = out or settings_for().runs_dir / f"{plan.recipe.recipe.name}-{plan.name}"
    if dry_run:
        _list_runs(plan, folder, as_json)
        return
    places = sources or tuple(Path(source) for source in plan.recipe.data.sources)
    if not places:
        raise UsageError("no photographs were named", hint="leafsight ablate RECIPE --data FOLDER")
    again = _as_words({**click.get_current_context().params, "overrides": overrides})
    with _helped_by([again] * (jobs - 1)):
        result = _run(plan, places, folder, split, pretrained, device, quiet=quiet)
    if as_json:
        print_json({"folder": str(folder), **result.to_dict()})
        return
    _print(result)
    talk(f"wrote {folder / 'index.html'}, table.md, table.tex, table.json", quiet)


def _run(
    plan: AblationPlan,
    sources: tuple[Path, ...],
    folder: Path,
    split: str,
    pretrained: str | None,
    device: str,
    *,
    quiet: bool,
) -> AblationResult:
    from leafsight.experiments import run_ablation, write_ablation

    bars = progress(quiet)

    def written(result: AblationResult) -> None:
        write_ablation(result, folder)

    return run_ablation(
        plan,
        sources,
        folder,
        starting=lambda recipe: _weights(pretrained, recipe, bars),
        split=split,
        device=device,
        limits=decode_limits(),
        max_cache_bytes=settings_for().max_cache_bytes,
        workers=settings_for().threads or cores(),
        progress=bars,
        tell=lambda line: talk(line, quiet),
        on_result=written,
    )


def _weights(pretrained: str | None, recipe: Recipe, bars: Progress) -> Path | None:
    """A variant that says it starts from random weights does so whatever the command line says."""
    from leafsight.cli.train import starting_weights

    if recipe.model.pretrained in (None, "none"):
        return None
    return starting_weights(pretrained, recipe, bars)


@contextmanager
def _helped_by(calls: Sequence[Sequence[str]]) -> Iterator[None]:
    """More processes at the same work; they end with this one."""
    start = [sys.executable, "-c", "from leafsight.cli import main; main()"]
    helpers = [subprocess.Popen([*start, *call], stdout=subprocess.DEVNULL) for call in calls]  # noqa: S603
    try:
        yield
    finally:
        for helper in helpers:
            helper.terminate()
        for helper in helpers:
            helper.wait()


def _as_words(values: Mapping[str, Any]) -> list[str]:
    """The present call for another process: its options, without those that concern this process only."""
    spelled = {"sources": "--data", "name": "--table", "overrides": "--set"}
    words = ["ablate", str(values["recipe"]), "--quiet"]
    for key, value in values.items():
        if key in ("recipe", "jobs", "quiet", "as_json", "dry_run") or value in (None, "", ()):
            continue
        option = spelled.get(key, f"--{key}")
        for one in value if isinstance(value, tuple) else (value,):
            words += [option, str(one)]
    return words


def _grid(vary: Sequence[str]) -> dict[str, list[Any]]:
    from leafsight.training import parsed_value

    grid: dict[str, list[Any]] = {}
    for word in vary:
        key, equals, text = word.partition("=")
        values = parsed_value(text.strip())
        if not equals or not key.strip() or not isinstance(values, list) or not values:
            raise UsageError(
                f"--vary {word} gives no list of values",
                hint="such as --vary loss.label_smoothing=[0.0,0.1]",
            )
        grid[key.strip()] = values
    return grid


def _numbers(seeds: str) -> list[int]:
    words = [word.strip() for word in seeds.split(",") if word.strip()]
    if not all(word.isdigit() for word in words):
        raise UsageError(f"--seeds {seeds} are no whole numbers", hint="such as --seeds 0,1,2")
    return [int(word) for word in words]


def _list_runs(plan: AblationPlan, folder: Path, as_json: bool) -> None:
    from leafsight.experiments import change_in_words

    rows = [
        (row.variant.name, cell.seed, ", ".join(str(run.place) for run in cell.runs), cell.views)
        for row in plan.rows
        for cell in row.cells
    ]
    if as_json:
        told = [
            {"variant": name, "seed": seed, "runs": runs.split(", "), "views": views}
            for name, seed, runs, views in rows
        ]
        changes = {row.variant.name: dict(plan.options.changes_of(row.variant)) for row in plan.rows}
        print_json({"folder": str(folder), "runs": len(plan.runs), "cells": told, "changes": changes})
        return
    said = {row.variant.name: change_in_words(plan.options.changes_of(row.variant)) for row in plan.rows}
    print_table(
        f"{len(plan.runs)} runs in {folder}",
        ("variant", "seed", "run", "views", "change"),
        [(*row, said[row[0]]) for row in rows],
        right=(1, 3),
    )


def _print(result: AblationResult) -> None:
    from leafsight.experiments import ablation_cells, ablation_headings, ablation_method

    head = ablation_headings(result)
    print_table(result.title or result.name, head, ablation_cells(result), right=tuple(range(1, len(head))))
    for line in ablation_method(result):
        click.echo(line)
    for row in result.rows:
        if row.failure:
            click.echo(f"{row.name} failed: {row.failure}")
