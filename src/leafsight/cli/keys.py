"""``leafsight keys``: who may ask a server for what."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.places import database_option, database_url, existing_database_url, state_dir_option
from leafsight.cli.terminal import (
    json_option,
    one_line,
    print_json,
    print_table,
    printable,
    quiet_option,
    settings_for,
    talk,
)

if TYPE_CHECKING:
    from leafsight.state import KeyRecord, State


@click.group(name="keys")
def command() -> None:
    """Make, list and revoke the keys of a server."""


@command.command(name="make")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["predict", "upload", "admin"]),
    default=("predict",),
    show_default=True,
    help="What the key opens; may be given several times.",
)
@click.option("--rate", type=click.IntRange(min=1), help="Most requests a minute.  [default: no limit]")
@click.option(
    "--photographs-per-day", type=click.IntRange(min=1), help="Most photographs a day.  [default: no limit]"
)
@database_option
@state_dir_option
@quiet_option
@json_option
def make(
    name: str,
    scopes: tuple[str, ...],
    rate: int | None,
    photographs_per_day: int | None,
    database: str | None,
    state_dir: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Make a key called NAME and print it: this is the only time that it is shown."""
    with _opened(database, state_dir, new=True) as state:
        record, token = state.keys.make(name, scopes, rate, photographs_per_day)
    if as_json:
        print_json({**_plain(record), "key": token})
        return
    click.echo(token)
    talk(f"key {record.id} opens: {', '.join(record.scopes)}", quiet)
    talk("keep it now, it is not shown again; send it as 'Authorization: Bearer ...'", quiet)


@command.command(name="ls")
@database_option
@state_dir_option
@json_option
def list_keys(database: str | None, state_dir: Path | None, as_json: bool) -> None:
    """All keys, oldest first, without their secrets."""
    with _opened(database, state_dir) as state:
        records = state.keys.list()
    if as_json:
        print_json([_plain(record) for record in records])
        return
    rows = [
        (
            record.id,
            record.name,
            ", ".join(record.scopes),
            _moment(record.created_ms),
            record.rate_per_minute or "no limit",
            record.photographs_per_day or "no limit",
            _moment(record.revoked_ms) if record.revoked_ms is not None else "",
        )
        for record in records
    ]
    columns = ("id", "name", "opens", "made", "requests a minute", "photographs a day", "revoked")
    print_table("", columns, rows, right=(4, 5))


@command.command(name="revoke")
@click.argument("key_id", metavar="ID")
@database_option
@state_dir_option
@json_option
def revoke(key_id: str, database: str | None, state_dir: Path | None, as_json: bool) -> None:
    """Let the key ID open nothing any more. There is no way back; make a new one instead."""
    with _opened(database, state_dir) as state:
        record = state.keys.revoke(key_id)
    if as_json:
        print_json(_plain(record))
        return
    click.echo(f"{record.id} is revoked ({one_line(printable(record.name))})")


def _opened(database: str | None, state_dir: Path | None, *, new: bool = False) -> State:
    from leafsight.state import open_state

    settings = settings_for(database_url=database, state_dir=state_dir)
    return open_state(database_url(settings) if new else existing_database_url(settings))


def _plain(record: KeyRecord) -> dict[str, Any]:
    """The record for JSON, with times as the HTTP service writes them: milliseconds since 1970 in UTC."""
    from dataclasses import asdict

    return {**asdict(record), "scopes": list(record.scopes)}


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
