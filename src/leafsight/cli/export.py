"""``leafsight export``: a finished run becomes one model file, judged and calibrated; or other formats."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.terminal import cores, json_option, print_json, progress, quiet_option, settings_for
from leafsight.errors import UsageError
from leafsight.export import FORMATS
from leafsight.storage import merged

if TYPE_CHECKING:
    from leafsight.evaluation import Evaluation
    from leafsight.export import Package


@click.command(name="export")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="The model file.  [default: RUN/model.leafsight]"
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(list(FORMATS)),
    help="Write this format instead, compared with ONNX Runtime; several times for several.",
)
@click.option(
    "--photos",
    type=click.Path(path_type=Path),
    help="Compare the formats on this collection.  [default: the validation split; drawn leaves]",
)
@click.option(
    "--pickle",
    type=click.Path(path_type=Path),
    help="Write RUN's model file as a pickled scikit-learn classifier here instead; mind the warning.",
)
@click.option("--name", default="", help="What people will call the model.")
@click.option(
    "--card", type=click.Path(path_type=Path), help="Markdown put first in the model card: its limits."
)
@click.option(
    "--precision",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "fp32"]),
    help="auto tries INT8.",
)
@click.option("--weights/--no-weights", default=False, help="Include torch weights, to go on training from.")
@click.option(
    "--abroad",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Judge on this collection from elsewhere too, for the card; several times for several.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Such as calibration.alpha=0.05."
)
@quiet_option
@json_option
def command(
    run: Path,
    out: Path | None,
    formats: tuple[str, ...],
    photos: Path | None,
    pickle: Path | None,
    name: str,
    card: Path | None,
    precision: str,
    weights: bool,
    abroad: tuple[Path, ...],
    overrides: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> None:
    """Export the finished training run in the folder RUN, and write report.html and report.json there.

    With --format write RUN, which may also be a model file or 'builtin', in formats of other runtimes; with
    --pickle write its model file as a pickled classifier.
    """
    from leafsight.cli.export_formats import export_in_formats, is_model_file

    of_model_file: dict[str, object] = {"--card": card, "--abroad": abroad, "--weights": weights}
    if pickle is not None:
        from leafsight.cli.export_pickle import export_as_pickle

        others: dict[str, object] = {
            "--format": formats, "--out": out, "--photos": photos, "--name": name, "--set": overrides,
            "--precision": precision != "auto",
        }  # fmt: skip
        _refuse(of_model_file | others, "--pickle", "a model file is written as it is")
        export_as_pickle(run, pickle, as_json=as_json)
        return
    if formats:
        _refuse(of_model_file, "--format", "it belongs to a model file")
        values = packaging_values(overrides, name=name, card_notes="", precision="fp32", weights=False)
        export_in_formats(run, formats, out, photos, values=values, quiet=quiet, as_json=as_json)
        return
    if photos is not None:
        raise UsageError("--photos goes with --format", hint="a model file is judged on the run's own splits")
    if is_model_file(run):
        raise UsageError(f"{run} is a model file already", hint="name a --format to write it in")
    notes = _read_card(card) if card is not None else ""
    path = out or run / "model.leafsight"
    values = packaging_values(overrides, name=name, card_notes=notes, precision=precision, weights=weights)
    package = export_run(run, path, values=values, abroad=abroad, quiet=quiet)
    _tell(package, path, as_json)


def _tell(package: Package, path: Path, as_json: bool) -> None:
    result = {
        "model": str(path),
        "bytes": path.stat().st_size,
        **package.exported.to_dict(),
        "test": headline(package.evaluation),
        "abroad": {place: headline(found) for place, found in package.abroad.items()},
    }
    if as_json:
        print_json(result)
        return
    accuracy = package.evaluation.overall.metrics["accuracy"]
    click.echo(
        f"{path}: {path.stat().st_size / 1e6:.1f} MB, {package.exported.spec.precision}, test accuracy "
        f"{accuracy.value:.3f} [{accuracy.low:.3f}, {accuracy.high:.3f}]"
    )


def _refuse(options: Mapping[str, object], beside: str, hint: str) -> None:
    for option, given in options.items():
        if given:
            raise UsageError(f"{option} does not go with {beside}", hint=hint)


def headline(evaluation: Evaluation) -> dict[str, object]:
    """The numbers of all photographs of one evaluation as plain values."""
    return {key: found.to_dict() for key, found in evaluation.overall.metrics.items()}


def packaging_values(
    overrides: Sequence[str], *, name: str, card_notes: str, precision: str, weights: bool
) -> dict[str, Any]:
    """The options of packaging as plain values, overrides (TOML, ``key.path=value``) on top.

    Raises:
        UsageError: an override is not of that form.
    """
    values: dict[str, Any] = {
        "name": name,
        "card_notes": card_notes,
        "export": {"precision": precision, "include_weights": weights},
    }
    for override in overrides:
        try:
            changed = tomllib.loads(override)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"--set {override}: {error}", hint="such as calibration.alpha=0.05") from error
        values = merged(values, changed)
    return values


def _read_card(path: Path) -> str:
    from leafsight.storage import os_errors_translated

    with os_errors_translated(path):
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"--card {path} is no UTF-8 text: {error.reason}") from error


def export_run(
    run_folder: Path,
    path: Path,
    *,
    values: Mapping[str, Any] | None = None,
    abroad: Sequence[Path] = (),
    quiet: bool = False,
) -> Package:
    """Package a run and write its report."""
    from leafsight.cli.collections import read_index
    from leafsight.cli.evaluate import by_meaning
    from leafsight.cli.export_formats import index_of_run
    from leafsight.errors import require, validated

    require("torch", "train")
    from leafsight.export import PackagingOptions, package_run
    from leafsight.training import load_run

    index = index_of_run(run_folder)
    options = validated(PackagingOptions, values or {}, "export")
    run = load_run(run_folder)
    elsewhere = {
        place.name: by_meaning(read_index((place,), None, quiet=quiet).usable(), run.classes)[0]
        for place in abroad
    }
    package = package_run(
        run,
        index,
        path,
        cache_folder=run_folder / "exam",
        abroad={place: index for place, index in elsewhere.items() if len(index)},
        options=options,
        workers=settings_for().threads or cores(),
        progress=progress(quiet),
    )
    from leafsight.cli.report import write_run_report

    write_run_report(run_folder, package)
    return package
