"""``leafsight train``: a recipe and photographs in, a finished run out; interrupted runs go on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.on_cluster import ClusterCommand, cluster_options, wanted_cluster
from leafsight.cli.terminal import (
    cores,
    decode_limits,
    json_option,
    print_json,
    progress,
    quiet_option,
    settings_for,
    talk,
)
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.cluster import ClusterOptions
    from leafsight.progress import Progress
    from leafsight.training import Recipe, TrainedRun

INDEX_FILE = "index.parquet"
WORK_FOLDER = "data"


@click.command(name="train", cls=ClusterCommand)
@click.argument("recipe")
@click.option(
    "--data",
    "sources",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder of class folders, a CSV, an archive, or an index with splits; several times for several.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/RECIPE]")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the recipe."
)
@click.option(
    "--pretrained",
    help="Start from: a .safetensors file, a model file, 'builtin' or 'none'.  [default: the recipe's]",
)
@click.option(
    "--cache", type=click.Path(path_type=Path), help="Where index and pixels are kept.  [default: in the run]"
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1.")
@click.option("--force", is_flag=True, help="Throw away an earlier run in the same folder.")
@click.option("--export/--no-export", default=True, help="Also evaluate and write the model file.")
@cluster_options
@click.option(
    "--least-workers",
    type=click.IntRange(1, 4096),
    help="Go on with so few after a machine is lost, and with more when there is room again.",
)
@quiet_option
@json_option
def command(
    recipe: str,
    sources: tuple[Path, ...],
    out: Path | None,
    overrides: tuple[str, ...],
    pretrained: str | None,
    cache: Path | None,
    device: str,
    force: bool,
    export: bool,
    cluster: str | None,
    workers: int | None,
    worker_cpus: int | None,
    worker_gpus: int | None,
    least_workers: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train by RECIPE (a name of `leafsight recipes ls`, or a file).

    Killed at any moment, the same command goes on where it was.
    """
    from leafsight.training import load_recipe

    wanted = wanted_cluster(cluster, workers, worker_cpus, worker_gpus, least_workers=least_workers)
    loaded = load_recipe(recipe, overrides)
    places = sources or tuple(Path(name) for name in loaded.data.sources)
    if not places:
        raise UsageError("no photographs were named", hint="leafsight train RECIPE --data FOLDER")
    folder = out or settings_for().runs_dir / loaded.recipe.name
    if loaded.recipe.notice:
        click.echo(f"note: {loaded.recipe.notice}", err=True)
    run = train_run(
        loaded,
        places,
        folder,
        pretrained=pretrained,
        cache=cache,
        device=device,
        force=force,
        will_export=export,
        cluster=wanted,
        quiet=quiet,
    )
    result: dict[str, object] = {
        "run": str(folder),
        "best": run.best,
        "duration_s": run.record.get("duration_s"),
    }
    if export:
        from leafsight.cli.export import export_run

        package = export_run(folder, folder / "model.leafsight", quiet=quiet)
        result |= {"model": str(package.path), "report": str(folder / "report.html")}
        talk(f"wrote {package.path} and {folder / 'report.html'}", quiet)
    if as_json:
        print_json(result)
    else:
        click.echo(f"{folder}: {best_epoch(run.best)}")


def best_epoch(best: Mapping[str, Any]) -> str:
    """The kept epoch in words; people count from 1."""
    return f"best was epoch {best['epoch'] + 1} of stage {best['stage_name']}: {validation_numbers(best)}"


def validation_numbers(best: Mapping[str, Any]) -> str:
    """What the kept weights reach on the validation photographs, in words."""
    valid = best.get("valid", {})
    numbers = [
        f"{key.replace('_', ' ')} {valid[key]:.3f}" for key in ("macro_f1", "accuracy") if key in valid
    ]
    return f"{', '.join(numbers)} on validation"


def train_run(
    recipe: Recipe,
    sources: tuple[Path, ...],
    folder: Path,
    *,
    pretrained: str | None = None,
    cache: Path | None = None,
    device: str = "auto",
    force: bool = False,
    will_export: bool = True,
    cluster: ClusterOptions | None = None,
    quiet: bool = False,
) -> TrainedRun:
    """Prepare the photographs and train, here or on a cluster; what is already done is not done again."""
    from leafsight.training import (
        describe_start,
        is_finished,
        load_run,
        open_run_folder,
        prepare_data,
        train,
    )

    settings, bars = settings_for(), progress(quiet)
    weights, work = starting_weights(pretrained, recipe, bars), cache or folder / WORK_FOLDER
    prepared = prepare_data(
        recipe,
        sources,
        work,
        limits=decode_limits(),
        max_cache_bytes=settings.max_cache_bytes,
        workers=settings.threads or cores(),
        progress=bars,
    )
    if will_export:
        _require_splits(prepared.index.split_counts())
    if cluster is None:
        run = train(
            recipe, prepared.data, folder, force=force, device=device, pretrained=weights, progress=bars
        )
    else:
        start = describe_start(weights)
        opened = open_run_folder(folder, recipe, prepared.data, resume=True, force=force, start=start)
        run = (
            load_run(folder)
            if is_finished(opened)
            else _train_there(recipe, cluster, folder, work, weights, device, bars)
        )
    # Not before: a folder that holds another run is refused above, and that run's index must stay.
    prepared.index.save(folder / INDEX_FILE)
    return run


def _train_there(
    recipe: Recipe,
    cluster: ClusterOptions,
    folder: Path,
    work: Path,
    weights: Path | None,
    device: str,
    bars: Progress,
) -> TrainedRun:
    from leafsight.cluster import connected, train_on_cluster

    with connected(cluster, progress=bars) as joined:
        return train_on_cluster(
            recipe, joined, folder, work, pretrained=weights, device=device, progress=bars
        )


def _require_splits(counts: Mapping[str, int]) -> None:
    """Refuse before the hours of training, not after them, when no model file could be made.

    Raises:
        UsageError: a split is missing.
    """
    missing = [name for name in ("train", "valid", "calibration", "test") if not counts.get(name)]
    if missing:
        raise UsageError(
            f"no photograph is in the split {' and '.join(missing)}, which a model file needs",
            hint="give it a share of data.ratios, add photographs, or say --no-export",
        )


def starting_weights(wanted: str | None, recipe: Recipe, bars: Progress | None = None) -> Path | None:
    """The file of weights to start from, with what the settings know; see ``training.starting_weights``."""
    from leafsight.training import starting_weights as found

    settings = settings_for()
    return found(
        wanted,
        recipe,
        settings.cache_dir / "weights",
        imagenet=settings.imagenet_weights,
        progress=bars,
    )
