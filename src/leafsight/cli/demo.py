"""``leafsight demo``: the whole job once, on drawn photographs or on a person's own folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.terminal import cores, print_table, progress, quiet_option, talk
from leafsight.errors import LeafsightError

if TYPE_CHECKING:
    from leafsight.export import Package
    from leafsight.inference import BundlePredictor

RECIPE = "quick"
DIAGNOSED = 6
STEPS = 6


@click.command(name="demo")
@click.argument("data", required=False, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the run.  [default: runs/demo, or runs/demo-DATA]",
)
@click.option("--force", is_flag=True, help="Throw away an earlier run in the same folder.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the recipe."
)
@quiet_option
def command(
    data: Path | None, out: Path | None, force: bool, overrides: tuple[str, ...], quiet: bool
) -> None:
    """Check, split, train, evaluate, export and diagnose, start to finish.

    DATA is a folder with one folder of photographs per class. Without it, leaves are drawn.
    """
    out = out or _folder_for(data)
    folder = data or _drawn(out, quiet)
    _step(1, f"what is wrong with {folder}", quiet)
    _checked(folder, out, quiet)
    package, learned_from = _trained(folder, out, overrides, quiet, force=force)
    _step(5, "diagnosing photographs that it has not seen, with the new model and the built-in one", quiet)
    _diagnosed(package, out)
    _step(6, "done", quiet)
    _what_next(package, out, learned_from)


def _folder_for(data: Path | None) -> Path:
    """Each collection has a folder of its own, so that a second demo does not meet the first one's run."""
    from leafsight.cli.terminal import settings_for

    runs = settings_for().runs_dir
    return runs / "demo" if data is None else runs / f"demo-{data.resolve().name}"


def _step(number: int, title: str, quiet: bool) -> None:
    talk(f"\n[{number}/{STEPS}] {title}", quiet)


def _drawn(out: Path, quiet: bool) -> Path:
    from leafsight.dataset.synth import SynthOptions, write_synthetic_collection

    talk("no photographs were named, so leaves are drawn: they look at home nowhere but here", quiet)
    options = SynthOptions(leaves_per_class=20, views_per_leaf=3, side_px=160)
    return write_synthetic_collection(out / "photographs", options, progress=progress(quiet)).folder


def _checked(folder: Path, out: Path, quiet: bool) -> None:
    from leafsight.cli.collections import read_collection
    from leafsight.cli.train import INDEX_FILE, WORK_FOLDER
    from leafsight.inspection import check_collection

    looked = read_collection((folder,), quiet=quiet).looked
    # Where training looks first, so that nothing is read twice.
    looked.index.save(out / WORK_FOLDER / INDEX_FILE)
    for line in check_collection(looked, progress=progress(quiet)).lines():
        click.echo(f"  {line}")


def _trained(
    folder: Path, out: Path, overrides: tuple[str, ...], quiet: bool, *, force: bool
) -> tuple[Package, str]:
    from leafsight.cli.export import export_run
    from leafsight.cli.train import starting_weights, train_run
    from leafsight.dataset import PhotoIndex, split_summary
    from leafsight.training import load_recipe

    recipe = load_recipe(RECIPE, overrides)
    start = starting_weights(None, recipe)
    learned_from = "the built-in model's backbone" if start is not None else "random weights"
    _step(2, f"splitting without leaks and training by recipe '{RECIPE}', from {learned_from}", quiet)
    train_run(recipe, (folder,), out, force=force, quiet=quiet)
    _step(3, "the split it was trained by", quiet)
    summary = split_summary(PhotoIndex.load(out / "index.parquet"))
    for line in summary.lines()[: len(summary.classes) + 3]:
        click.echo(f"  {line}")
    _step(4, "exporting, proving that torch and ONNX agree, calibrating and judging on the test split", quiet)
    package = export_run(out, out / "model.leafsight", values={"name": "demo"}, quiet=quiet)
    proof, accuracy = package.exported.proof, package.evaluation.overall.metrics["accuracy"]
    click.echo(
        f"  parity: largest difference of a logit {proof.max_abs_diff:.1e} on {proof.photos} photographs; "
        f"graph kept: {package.exported.spec.precision}"
    )
    click.echo(
        f"  test accuracy {accuracy.value:.1%} [{accuracy.low:.1%}, {accuracy.high:.1%}] "
        f"on {package.evaluation.overall.photos} photographs of {package.evaluation.overall.groups} leaves"
    )
    return package, learned_from


def _diagnosed(package: Package, out: Path) -> None:
    from leafsight.cli.predict import load_predictor, write_heatmap
    from leafsight.dataset import PhotoIndex
    from leafsight.images import read_photo

    index = PhotoIndex.load(out / "index.parquet")
    spread = package.test_rows[:: max(1, len(package.test_rows) // DIAGNOSED)][:DIAGNOSED]
    chosen = index.rows(spread)
    photos = [read_photo(path) for path in chosen.files()]
    new = load_predictor(package.path, cores())
    try:
        builtin: BundlePredictor | None = load_predictor(None, cores())
    except LeafsightError:
        builtin = None
    answers = new.predict(photos, heatmap=True)
    others = builtin.predict(photos) if builtin is not None else [None] * len(photos)
    rows = [
        (
            name,
            truth,
            said.display or said.verdict,
            f"{said.top[0].probability:.0%}",
            other.display or other.verdict if other else "",
        )
        for name, truth, said, other in zip(
            chosen.column("path"), chosen.column("class_name"), answers, others, strict=True
        )
    ]
    print_table("", ("photo", "truth", "new model", "surest", "built-in model"), rows, right=(3,))
    for name, photo, said in zip(chosen.column("path"), photos, answers, strict=True):
        if said.heatmap is not None:
            write_heatmap(
                out / "heatmaps" / f"{Path(name).parent.name}-{Path(name).stem}.png", photo, said.heatmap
            )


def _what_next(package: Package, out: Path, learned_from: str) -> None:
    click.echo(f"  the model      {package.path}  (started from {learned_from})")
    click.echo(f"  the report     {out / 'report.html'}")
    click.echo(f"  heatmaps       {out / 'heatmaps'}")
    click.echo("\ntry next:")
    click.echo(f"  leafsight predict PHOTO.jpg --model {package.path} --heatmap where.png")
    click.echo("  make demo DATA=folder-with-one-folder-per-class")
    click.echo("  leafsight recipes ls")
