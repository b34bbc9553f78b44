"""``leafsight check``: what is wrong with a collection before anything is trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.terminal import (
    cores,
    decode_limits,
    json_option,
    print_json,
    progress,
    quiet_option,
    settings_for,
)

if TYPE_CHECKING:
    from leafsight.dataset import PhotoIndex

STORE_FOLDER = "leafsight-store"


@click.command(name="check")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--index", "index_path", type=click.Path(path_type=Path), help="Keep the index here (.parquet)."
)
@quiet_option
@json_option
def command(sources: tuple[Path, ...], index_path: Path | None, quiet: bool, as_json: bool) -> int:
    """Read every photograph of SOURCES once and say what is wrong, worst first.

    SOURCES are folders of class folders, CSVs with path,label columns, tar or zip archives, or a saved index.
    The exit code is 1 when something should be mended before training.
    """
    from leafsight.dataset import check_photos

    index = read_index(sources, index_path, quiet=quiet)
    report = check_photos(index)
    if as_json:
        print_json(report.to_dict())
    else:
        for line in report.lines():
            click.echo(line)
    return 0 if report.is_clean else 1


def read_index(
    sources: tuple[Path, ...], index_path: Path | None, *, quiet: bool, store: Path | None = None
) -> PhotoIndex:
    """The index of ``sources``; unchanged files of an index at ``index_path`` are not read again.

    Photographs of archives are unpacked into ``store``, else beside the index, else into the cache folder.
    """
    from leafsight.dataset import PhotoIndex, index_photos
    from leafsight.errors import require

    require("pyarrow", "train")  # said before the photographs are read, not after
    if len(sources) == 1 and sources[0].suffix == ".parquet":
        return PhotoIndex.load(sources[0])
    earlier = PhotoIndex.load(index_path) if index_path is not None and index_path.exists() else None
    beside = index_path.parent / STORE_FOLDER if index_path is not None else None
    index = index_photos(
        list(sources),
        earlier=earlier,
        store=store or beside or settings_for().cache_dir / STORE_FOLDER,
        limits=decode_limits(),
        workers=cores(),
        progress=progress(quiet),
    )
    if index_path is not None:
        index.save(index_path)
    return index
