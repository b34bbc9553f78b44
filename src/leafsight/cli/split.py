"""``leafsight split``: train, calibration and test without the same leaf on both sides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.check import STORE_FOLDER, read_index
from leafsight.cli.terminal import json_option, print_json, quiet_option, talk
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.dataset import PhotoIndex

LEAF_MAP_FILE = "leaf_groups.csv"
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
        "group_by": tuple(rule.strip() for rule in group_by.split(",")),
        "keep": keep,
    }
    options = validated(SplitOptions, values, "split")
    leaves = leaf_maps(leaf_map, sources)
    index = _kept_groups(read_index(sources, None, quiet=quiet, store=out.parent / STORE_FOLDER))
    if folds is not None:
        paths = [out.with_suffix(f".{number}.parquet") for number in range(folds)]
        for path, fold in zip(paths, fold_photos(index, folds, options, leaf_map=leaves), strict=True):
            fold.save(path)
        if as_json:
            print_json([str(path) for path in paths])
        else:
            click.echo("\n".join(map(str, paths)))
        return
    index = split_photos(index, options, leaf_map=leaves)
    index.save(out)
    summary = split_summary(index)
    if as_json:
        print_json(summary.to_dict())
    else:
        for line in summary.lines():
            click.echo(line)
    talk(f"wrote {out}; next: leafsight train standard --data {out} --out runs/first", quiet)


def leaf_maps(named: Path | None, sources: tuple[Path, ...]) -> dict[tuple[str, str], str]:
    """The leaf map that was named, or else all that lie inside the sources."""
    from leafsight.dataset import read_leaf_map

    beside = [source / LEAF_MAP_FILE for source in sources if (source / LEAF_MAP_FILE).is_file()]
    leaves: dict[tuple[str, str], str] = {}
    for path in [named] if named is not None else beside:
        leaves.update(read_leaf_map(path))
    return leaves


def _kept_groups(index: PhotoIndex) -> PhotoIndex:
    """What an earlier split of a saved index kept together stays together, whatever is known now."""
    groups = zip(index.column("given_group"), index.column("group"), strict=True)
    return index.with_column("given_group", [given or found for given, found in groups])
