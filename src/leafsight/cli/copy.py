"""``leafsight copy``: a cleaned and split copy of a collection, as folders or as tar shards."""

from __future__ import annotations

from pathlib import Path

import click

from leafsight.cli.collections import read_index
from leafsight.cli.terminal import json_option, print_json, progress, quiet_option, talk


@click.command(name="copy")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The new folder.")
@click.option(
    "--layout",
    type=click.Choice(["folders", "shards"]),
    default="folders",
    show_default=True,
    help="SPLIT/CLASS/FILE, or WebDataset tars.",
)
@click.option(
    "--link",
    type=click.Choice(["hard", "copy"]),
    default="hard",
    show_default=True,
    help="hard: the same bytes under a second name; editing such a file edits the original.",
)
@click.option("--clean", is_flag=True, help="Leave out faulty photographs and exact duplicates.")
@click.option(
    "--leave-out", type=click.Path(path_type=Path), help="Leave out these, too: a file with a path a line."
)
@click.option(
    "--shard-mb",
    type=click.IntRange(1, 100_000),
    default=500,
    show_default=True,
    help="Largest shard in megabytes.",
)
@click.option("--force", is_flag=True, help="Replace an earlier copy in the same folder.")
@quiet_option
@json_option
def command(
    sources: tuple[Path, ...],
    out: Path,
    layout: str,
    link: str,
    clean: bool,
    leave_out: Path | None,
    shard_mb: int,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Copy SOURCES (folders, listings, archives, or a saved index with its splits) into a new folder.

    The originals are only read. The new folder is complete or not there. The exit code is 1 when photographs
    that should be in it changed or went away meanwhile.
    """
    from leafsight.dataset import CopyOptions, copy_photos
    from leafsight.errors import validated

    values = {
        "layout": layout,
        "link": link,
        "clean": clean,
        "max_shard_bytes": shard_mb * 1_000_000,
        "force": force,
    }
    options = validated(CopyOptions, values, "copy")
    index = read_index(sources, None, quiet=quiet)
    report = copy_photos(index, out, options, leave_out=leave_out, progress=progress(quiet))
    if as_json:
        print_json(report.to_dict())
    else:
        for line in report.lines():
            click.echo(line)
    talk(f"what was left out, and why: {Path(report.out) / 'left_out.csv'}", quiet or not report.left_out)
    return 0 if report.is_complete else 1
