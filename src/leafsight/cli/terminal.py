"""What the verbs share of the terminal: the settings, the progress bars, JSON and tables.

stdout is the result, stderr is talk. Bars appear on a terminal only; a pipe gets plain lines.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.progress import Lines, Progress, Silent

if TYPE_CHECKING:
    from rich.console import Console

    from leafsight.images import DecodeLimits
    from leafsight.settings import Settings

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress, no talk.")


def settings_for(**flags: Any) -> Settings:
    """The settings that hold in the present folder, with flags of the command line on top."""
    from leafsight.settings import load_settings

    return load_settings(Path.cwd(), os.environ, flags)


def decode_limits() -> DecodeLimits:
    """What the settings hold for too large a photograph."""
    from leafsight.images import DecodeLimits

    settings = settings_for()
    return DecodeLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)


def cores() -> int:
    """How many cores this process may use; a container's CPU quota counts."""
    from leafsight.storage import available_cores

    return available_cores()


def console(*, err: bool = False) -> Console:
    """A rich console for stdout or stderr."""
    from rich.console import Console

    return Console(stderr=err, highlight=False)


def progress(quiet: bool = False) -> Progress:
    """Bars on a terminal, lines in a pipe, silence on request."""
    if quiet:
        return Silent()
    if sys.stderr.isatty():
        from leafsight.cli.bars import Bars

        return Bars()
    return Lines(sys.stderr)


def print_json(value: Any) -> None:
    """Write ``value`` to stdout as JSON; NaN becomes a bug here, not in the reader's parser."""
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[int] = ()
) -> None:
    """Write a table to stdout: drawn on a terminal, tab-separated in a pipe."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            click.echo("\t".join(one_line(printable(str(cell))) for cell in row))
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(printable(str(cell)))) for cell in row))
    console().print(table)


def printable(name: str) -> str:
    r"""A file name that any stream can carry: bytes that are no UTF-8 show as ``\xff``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def one_line(text: str) -> str:
    r"""``text`` on one line and in one column: line breaks and tabs show as ``\n`` and ``\t``."""
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


def talk(line: str, quiet: bool = False) -> None:
    """Say something on stderr."""
    if not quiet:
        click.echo(line, err=True)
