"""``leafsight split``: train, calibration and test without the same leaf on both sides."""

from __future__ import annotations

from pathlib import Path

import click

from leafsight.cli.check import read_index
from leafsight.cli.terminal import json_option, print_json, quiet_option, talk
from leafsight.errors import UsageError

RULES = "column,leaf_map,duplicates,near_duplicates,capture_runs"


@click.command(name="split")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Where the index with splits goes (.parquet).",
)
@click.option(
    "--ratios",
    default="train=0.7,valid=0.05,calibration=0.1,test=0.15",
    show_default=True,
    help="Shares by name, or 80/10/10, or 5:1.",
)
@click.option("--seed", default=0, show_default=True, help="Another seed gives another split.")
@click.option(
    "--leaf-map", type=click.Path(path_type=Path), help="CSV class,file,leaf: photographs of one leaf."
)
@click.option("--group-by", default=RULES, show_default=True, help="What belongs together.")
@click.option("--keep", multiple=True, help="A split whose photographs stay where they are, such as test.")
@click.option(
    "--folds", type=click.IntRange(2, 100), help="Write this many folds (OUT.0, OUT.1, ...) instead."
)
@quiet_option
@json_option
def command(
    sources: tuple[Path, ...],
    out: Path,
    ratios: str,
    seed: int,
    leaf_map: Path | None,
    group_by: str,
    keep: tuple[str, ...],
    folds: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Divide SOURCES (folders, CSVs, archives, or a saved index) by class, keeping relatives together.

    The same photographs and seed give the same split on any machine.
    """
    from leafsight.dataset import SplitOptions, fold_photos, split_photos, split_summary
    from leafsight.errors import validated

    if out.suffix != ".parquet":
        raise UsageError(f"--out {out} must end in .parquet")
    values = {
        "ratios": ratios,
        "seed": seed,
        "leaf_map": leaf_map or leaf_map_beside(sources),
        "group_by": tuple(rule.strip() for rule in group_by.split(",")),
        "keep": keep,
    }
    options = validated(SplitOptions, values, "split")
    index = read_index(sources, None, quiet=quiet)
    if folds is not None:
        for number, fold in enumerate(fold_photos(index, folds, options)):
            fold.save(out.with_suffix(f".{number}.parquet"))
        talk(f"wrote {folds} folds beside {out}", quiet)
        return
    index = split_photos(index, options)
    index.save(out)
    summary = split_summary(index)
    if as_json:
        print_json(summary.to_dict())
    else:
        for line in summary.lines():
            click.echo(line)
    talk(f"wrote {out}; next: leafsight train standard --data {out} --out runs/first", quiet)


def leaf_map_beside(sources: tuple[Path, ...]) -> Path | None:
    """The ``leaf_groups.csv`` inside the only source that has one."""
    found = [source / "leaf_groups.csv" for source in sources if (source / "leaf_groups.csv").is_file()]
    return found[0] if len(found) == 1 else None
