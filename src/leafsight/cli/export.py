"""``leafsight export``: a finished run becomes one model file, judged and calibrated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.terminal import cores, json_option, print_json, progress, quiet_option, settings_for
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.export import Package


@click.command(name="export")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="The model file.  [default: RUN/model.leafsight]"
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
@quiet_option
@json_option
def command(
    run: Path,
    out: Path | None,
    name: str,
    card: Path | None,
    precision: str,
    weights: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Export the finished training run in the folder RUN, and write report.html and report.json there."""
    notes = card.read_text(encoding="utf-8") if card is not None else ""
    path = out or run / "model.leafsight"
    package = export_run(
        run, path, name=name, card_notes=notes, precision=precision, weights=weights, quiet=quiet
    )
    result = {
        "model": str(path),
        "bytes": path.stat().st_size,
        **package.exported.to_dict(),
        "test": {key: found.to_dict() for key, found in package.evaluation.overall.metrics.items()},
    }
    if as_json:
        print_json(result)
        return
    accuracy = package.evaluation.overall.metrics["accuracy"]
    click.echo(
        f"{path}: {path.stat().st_size / 1e6:.1f} MB, {package.exported.spec.precision}, test accuracy "
        f"{accuracy.value:.3f} [{accuracy.low:.3f}, {accuracy.high:.3f}]"
    )


def export_run(
    run_folder: Path,
    path: Path,
    *,
    name: str = "",
    card_notes: str = "",
    precision: str = "auto",
    weights: bool = False,
    quiet: bool = False,
) -> Package:
    """Package a run and write its report."""
    from leafsight.dataset import PhotoIndex
    from leafsight.export import PackagingOptions, package_run
    from leafsight.training import load_run

    index_path = run_folder / "index.parquet"
    if not index_path.exists():
        raise UsageError(f"{run_folder} has no index.parquet", hint="it is written by leafsight train")
    options = PackagingOptions.model_validate(
        {
            "name": name,
            "card_notes": card_notes,
            "export": {"precision": precision, "include_weights": weights},
        }
    )
    package = package_run(
        load_run(run_folder),
        PhotoIndex.load(index_path),
        path,
        cache_folder=run_folder / "exam",
        options=options,
        workers=settings_for().threads or cores(),
        progress=progress(quiet),
    )
    from leafsight.cli.report import write_run_report

    write_run_report(run_folder, package)
    return package
