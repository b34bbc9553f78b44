"""``leafsight synth``: draw a collection of leaf photographs."""

from __future__ import annotations

from pathlib import Path

import click

from leafsight.cli.terminal import json_option, print_json, progress, quiet_option


@click.command(name="synth")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--leaves", default=24, show_default=True, type=click.IntRange(1), help="Leaves per class.")
@click.option(
    "--views", default=3, show_default=True, type=click.IntRange(1, 20), help="Most photographs a leaf."
)
@click.option(
    "--field-share", default=0.5, show_default=True, help="Share of leaves photographed in the field."
)
@click.option("--side", default=192, show_default=True, type=click.IntRange(32, 4096), help="Side in pixels.")
@click.option("--crop", "crops", multiple=True, help="Crops to draw; several times for several.")
@click.option(
    "--condition", "conditions", multiple=True, help="Conditions to draw; several times for several."
)
@click.option("--seed", default=0, show_default=True, help="Another seed draws other leaves.")
@quiet_option
@json_option
def command(
    folder: Path,
    leaves: int,
    views: int,
    field_share: float,
    side: int,
    crops: tuple[str, ...],
    conditions: tuple[str, ...],
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Draw class folders of leaf photographs into FOLDER, with a leaf map. The same seed draws the same."""
    from leafsight.dataset.synth import SynthOptions, write_synthetic_collection
    from leafsight.errors import validated

    values: dict[str, object] = {
        "leaves_per_class": leaves,
        "views_per_leaf": views,
        "field_share": field_share,
        "side_px": side,
        "seed": seed,
    }
    if crops:
        values["crops"] = crops
    if conditions:
        values["conditions"] = conditions
    options = validated(SynthOptions, values, "synth")
    made = write_synthetic_collection(folder, options, progress=progress(quiet))
    plain = {
        "folder": str(made.folder),
        "classes": list(made.classes),
        "photographs": made.photographs,
        "leaves": made.leaves,
    }
    if as_json:
        print_json(plain)
    else:
        click.echo(
            f"{made.photographs} photographs of {made.leaves} leaves in {len(made.classes)} classes: {folder}"
        )
