"""``leafsight tune``: a recipe with a table [search] in, the best recipe and a page out."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.on_cluster import ClusterCommand, cluster_options, wanted_cluster
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
from leafsight.cli.train import WORK_FOLDER, starting_weights
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.cluster import ClusterOptions
    from leafsight.experiments import SearchOutcome, SearchRequest
    from leafsight.progress import Progress
    from leafsight.training import PreparedData, Recipe

SHOWN = 10


@click.command(name="tune", cls=ClusterCommand)
@click.argument("recipe")
@click.option(
    "--data",
    "sources",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder of class folders, a CSV, an archive, or an index with splits; several times for several.",
)
@click.option("--trials", type=click.IntRange(min=1), help="Finished trials wanted.  [default: the recipe's]")
@click.option(
    "--study", type=click.Path(path_type=Path), help="Folder of the search.  [default: runs/RECIPE-search]"
)
@click.option(
    "--storage", metavar="URL", help="Database of the study.  [default: a SQLite file in its folder]"
)
@click.option(
    "--fraction",
    type=click.FloatRange(min=0, max=1, min_open=True),
    help="Share of the training photographs that the trials train on.",
)
@click.option(
    "--timeout",
    metavar="MIN",
    type=click.FloatRange(min=0, min_open=True),
    help="Begin no trial after so many minutes.",
)
@click.option(
    "--range-test/--no-range-test", default=True, help="Narrow the learning rates before the first trial."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the recipe."
)
@click.option(
    "--pretrained",
    help="Start from: a .safetensors file, a model file, 'builtin' or 'none'.  [default: the recipe's]",
)
@click.option(
    "--cache", type=click.Path(path_type=Path), help="Where index and pixels are kept.  [default: in STUDY]"
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1.")
@cluster_options
@quiet_option
@json_option
def command(
    recipe: str,
    sources: tuple[Path, ...],
    trials: int | None,
    study: Path | None,
    storage: str | None,
    fraction: float | None,
    timeout: float | None,
    range_test: bool,
    overrides: tuple[str, ...],
    pretrained: str | None,
    cache: Path | None,
    device: str,
    cluster: str | None,
    workers: int | None,
    worker_cpus: int | None,
    worker_gpus: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Search for better values of RECIPE in the space of its table [search].

    The same command in another terminal joins the search; killed at any moment, it goes on.
    """
    from leafsight.experiments import SearchRequest, search_options
    from leafsight.training import read_recipe_file, recipe_names, recipe_text

    options = wanted_cluster(cluster, workers, worker_cpus, worker_gpus)
    file = read_recipe_file(recipe, overrides)
    search_options(file)
    loaded, bars = file.recipe(), progress(quiet)
    places = sources or tuple(Path(name) for name in loaded.data.sources)
    if not places:
        raise UsageError("no photographs were named", hint="leafsight tune RECIPE --data FOLDER")
    folder = study or settings_for().runs_dir / f"{loaded.recipe.name}-search"
    shipped = recipe in recipe_names()
    request = SearchRequest(
        recipe=recipe,
        text=recipe_text(recipe) if shipped else Path(recipe).read_text("utf-8", errors="replace"),
        overrides=overrides,
        fraction=fraction,
        trials=trials,
        timeout_min=timeout,
        range_test=range_test,
        storage=storage,
        pretrained=starting_weights(pretrained, loaded, bars),
        device=device,
    )
    outcome = _search(request, places, cache or folder / WORK_FOLDER, folder, options, bars)
    _show(outcome, folder, places, quiet=quiet, as_json=as_json)


def _search(
    request: SearchRequest,
    places: tuple[Path, ...],
    work: Path,
    folder: Path,
    options: ClusterOptions | None,
    bars: Progress,
) -> SearchOutcome:
    """Run the trials in this process, or on a cluster."""
    from leafsight.experiments import run_search

    prepare = _preparing(places, work, bars)
    if options is None:
        return run_search(request, prepare, folder, progress=bars)
    from leafsight.cluster import connected, trials_on

    with (
        connected(options, progress=bars) as joined,
        trials_on(joined, folder, work, progress=bars) as runner,
    ):
        return run_search(request, prepare, folder, runner=runner, progress=bars)


def _preparing(places: tuple[Path, ...], work: Path, bars: Progress) -> Callable[[Recipe], PreparedData]:
    """From a recipe to its photographs, under the limits of the settings."""
    from leafsight.training import prepare_data

    settings = settings_for()

    def prepare(recipe: Recipe) -> PreparedData:
        return prepare_data(
            recipe,
            places,
            work,
            limits=decode_limits(),
            max_cache_bytes=settings.max_cache_bytes,
            workers=settings.threads or cores(),
            progress=bars,
        )

    return prepare


def _show(
    outcome: SearchOutcome, folder: Path, places: tuple[Path, ...], *, quiet: bool, as_json: bool
) -> None:
    from leafsight.experiments import doubt_in_words, result_in_words, shown

    best, page = folder / "best.toml", folder / "search.html"
    if as_json:
        print_json({**outcome.to_dict(), "files": {"best": str(best), "page": str(page)}})
    else:
        keys = list(outcome.space)
        rows = [
            [
                row.number,
                shown(row.value),
                row.epochs,
                *(shown(row.changes[key]) if key in row.changes else "-" for key in keys),
                "the recipe as it stands" if row.as_it_stands else "",
            ]
            for row in outcome.complete[:SHOWN]
        ]
        title = f"best of {len(outcome.trials)} trials on validation"
        print_table(title, ["trial", outcome.metric, "epochs", *keys, ""], rows, right=range(3 + len(keys)))
    for test in outcome.tests:
        talk(f"range test of {test.key}: {test.said}; tried {shown(test.low)} to {shown(test.high)}", quiet)
    talk(f"best: {result_in_words(outcome)}", quiet)
    talk(doubt_in_words(outcome), quiet)
    data = " ".join(f"--data {shlex.quote(str(place))}" for place in places)
    talk(f"wrote {best} and {page}; next: leafsight train {shlex.quote(str(best))} {data}", quiet)
