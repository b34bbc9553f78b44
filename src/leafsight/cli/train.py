"""``leafsight train``: a recipe and photographs in, a finished run out; interrupted runs go on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.terminal import cores, json_option, print_json, progress, quiet_option, settings_for, talk
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.training import Recipe, TrainedRun


@click.command(name="train")
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
    quiet: bool,
    as_json: bool,
) -> None:
    """Train by RECIPE (a name of `leafsight recipes ls`, or a file).

    Killed at any moment, the same command goes on where it was.
    """
    from leafsight.training import load_recipe

    loaded = load_recipe(recipe, overrides)
    places = sources or tuple(Path(name) for name in loaded.data.sources)
    if not places:
        raise UsageError("no photographs were named", hint="leafsight train RECIPE --data FOLDER")
    folder = out or settings_for().runs_dir / loaded.recipe.name
    run = train_run(
        loaded, places, folder, pretrained=pretrained, cache=cache, device=device, force=force, quiet=quiet
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
        click.echo(
            f"{folder}: best epoch {run.best.get('epoch')} of stage {run.best.get('stage_name', '')}".rstrip()
        )


def train_run(
    recipe: Recipe,
    sources: tuple[Path, ...],
    folder: Path,
    *,
    pretrained: str | None = None,
    cache: Path | None = None,
    device: str = "auto",
    force: bool = False,
    quiet: bool = False,
) -> TrainedRun:
    """Prepare the photographs and train; what is already done is not done again."""
    from leafsight.images import DecodeLimits
    from leafsight.training import prepare_data, train

    settings = settings_for()
    limits = DecodeLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
    bars = progress(quiet)
    prepared = prepare_data(
        recipe, sources, cache or folder, limits=limits, workers=settings.threads or cores(), progress=bars
    )
    prepared.index.save(folder / "index.parquet")
    return train(
        recipe,
        prepared.data,
        folder,
        force=force,
        device=device,
        pretrained=starting_weights(pretrained, recipe),
        progress=bars,
    )


def starting_weights(wanted: str | None, recipe: Recipe) -> Path | None:
    """The file of weights to start from, or ``None``: the recipe decides, or starts from random weights.

    ``builtin`` and a recipe's ``auto`` mean the backbone of the model that ships in the package.
    """
    from leafsight.bundle import builtin_bundle_path
    from leafsight.errors import BundleError

    chosen = wanted or recipe.model.pretrained
    if chosen is None or chosen == "none":
        return None
    if chosen in {"builtin", "auto"}:
        try:
            return builtin_bundle_path()
        except BundleError:
            if wanted:
                raise
            return None
    path = Path(chosen)
    return path if path.exists() or wanted else None
