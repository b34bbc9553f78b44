"""``leafsight split``: train, calibration and test without the same leaf on both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli import repair
from leafsight.cli.found_groups import read_to_group
from leafsight.cli.grouping import REPAIR_RULES, RULES, leaf_maps, rules
from leafsight.cli.terminal import json_option, print_json, quiet_option, talk
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.dataset import PhotoIndex


@click.command(name="split")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where the index with splits goes (.parquet).")
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
@click.option("--group-by", help=f"What belongs together.  [default: {RULES}; for --repair {REPAIR_RULES}]")
@click.option(
    "--name-pattern",
    help="Files whose names begin alike belong together: a regular expression whose brackets find the "
    r"leaf, plant or patient, such as '(\d+)_'.",
)
@click.option("--keep", multiple=True, help="A split whose photographs stay where they are, such as test.")
@click.option("--exact", is_flag=True, help="Move groups until every share is within the largest group.")
@click.option(
    "--folds", type=click.IntRange(2, 100), help="Write this many folds (OUT.0, OUT.1, ...) instead."
)
@click.option("--repair", is_flag=True, help="Plan how to make the splits that SOURCES have clean.")
@click.option(
    "--repair-by",
    type=click.Choice(["move", "drop"]),
    default="move",
    show_default=True,
    help="Take relatives to the side where most of them are, or leave them out.",
)
@click.option("--drop-conflicting", is_flag=True, help="Leave out every picture that has two labels.")
@click.option("--plan", type=click.Path(path_type=Path), help="Write the plan here (.csv).")
@click.option("--yes", is_flag=True, help="Do what the plan says.")
@click.option("--in-place", is_flag=True, help="Move the files themselves instead of writing an index.")
@click.option("--lose-classes", is_flag=True, help="Go on when a class has no photograph left in a split.")
@click.option("--undo", type=click.Path(path_type=Path), help="Put back what a repair in place moved.")
@click.option("--finish", type=click.Path(path_type=Path), help="Go on with a repair in place.")
@quiet_option
@json_option
def command(sources: tuple[Path, ...], out: Path | None, **words: Any) -> None:
    """Divide SOURCES (folders, CSVs, archives, or a saved index) by class, keeping relatives together.

    The same photographs and seed give the same split on any machine. With --repair, SOURCES have splits
    already: see what must move so that no leaf is on two sides, and do it with --yes.
    """
    if words["undo"] is not None or words["finish"] is not None:
        repair.go_on(sources, words["undo"], words["finish"], quiet=words["quiet"], as_json=words["as_json"])
        return
    if not sources:
        raise UsageError("no photographs were named", hint="leafsight split FOLDER --out split.parquet")
    if out is not None and out.suffix != ".parquet":
        raise UsageError(f"--out {out} must end in .parquet")
    if words["repair"]:
        repair.repair(sources, out, words)
        return
    if out is None:
        raise UsageError("--out is missing", hint="leafsight split FOLDER --out split.parquet")
    if unused := [name for name in repair.ONLY_REPAIR if words[name]]:
        raise UsageError(f"--{unused[0].replace('_', '-')} belongs to --repair")
    split(sources, out, words)


def split(sources: tuple[Path, ...], out: Path, words: Mapping[str, Any]) -> None:
    """Make splits, or folds, and print what they hold."""
    from leafsight.dataset import SplitOptions, fold_photos, split_photos
    from leafsight.errors import validated

    values = {
        "ratios": words["ratios"],
        "seed": words["seed"],
        "group_by": rules(words["group_by"] or RULES),
        "name_pattern": words["name_pattern"],
        "keep": words["keep"],
        "exact": words["exact"],
        "keep_groups": True,
    }
    options = validated(SplitOptions, values, "split")
    quiet, leaves = words["quiet"], leaf_maps(words["leaf_map"], sources)
    index, found = read_to_group(sources, options.group_by, out.parent, quiet=quiet)
    if words["folds"] is not None:
        folds = fold_photos(index, words["folds"], options, leaf_map=leaves, found=found)
        save_folds(folds, out, quiet=quiet, as_json=words["as_json"])
        return
    index = split_photos(index, options, leaf_map=leaves, found=found)
    index.save(out)
    print_split(index, exact=options.exact, as_json=words["as_json"])
    talk(f"wrote {out}; next: leafsight train standard --data {out} --out runs/first", quiet)


def print_split(index: PhotoIndex, *, exact: bool, as_json: bool) -> None:
    """Counts by class, leaks, and how far the split can be trusted."""
    from leafsight.dataset import coverage_sentence, split_summary

    summary = split_summary(index)
    if as_json:
        print_json({**summary.to_dict(), "record": dict(index.split_record)})
        return
    for line in summary.lines():
        click.echo(line)
    click.echo(coverage_sentence(index.split_record))
    if index.split_record.get("within_one_group") is False:
        why = "small classes must be in every split" if exact else "--exact moves groups where that helps"
        click.echo(f"a share is off by more than the largest group; {why}")


def save_folds(folds: Sequence[PhotoIndex], out: Path, *, quiet: bool, as_json: bool) -> None:
    """Write every fold, print where, and say what each holds."""
    from leafsight.dataset import coverage_sentence, split_summary

    paths = [out.with_suffix(f".{number}.parquet") for number in range(len(folds))]
    lines = []
    for path, fold in zip(paths, folds, strict=True):
        fold.save(path)
        summary, record = split_summary(fold), fold.split_record
        wanted, reached = record["ratios"]["test"], record["reached"]["test"]
        lines.append(
            f"{path.name}: {summary.splits['train']} train, {summary.splits['test']} test "
            f"({reached:.1%}, wanted {wanted:.1%}), {len(summary.leaks)} leaks, "
            f"{len(summary.missing)} classes missing in a part"
        )
    if as_json:
        print_json([str(path) for path in paths])
    else:
        click.echo("\n".join(map(str, paths)))
    talk("\n".join([*lines, coverage_sentence(record)]), quiet)
