"""``leafsight db``: looking after what a server remembers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.first_key import first_key_option, flag_of, make_first_key, plain_first_key, tell_first_key
from leafsight.cli.piping import PIPE, read_or_piped_in, written_or_piped_out
from leafsight.cli.places import (
    blob_url,
    blobs_option,
    database_option,
    database_url,
    existing_database_url,
    state_dir_option,
)
from leafsight.cli.terminal import (
    json_option,
    print_json,
    print_table,
    quiet_option,
    settings_for,
    talk,
)
from leafsight.cli.waiting import patiently, wait_option
from leafsight.errors import LeafsightError, UsageError

if TYPE_CHECKING:
    from leafsight.state import Blobs, State

HOUR_MS = 3_600_000
UNITS_MS = {"h": HOUR_MS, "d": 24 * HOUR_MS, "w": 7 * 24 * HOUR_MS}
SHOWN = 20
"""Missing photographs that are named; of the others there is the number."""


@click.group(name="db")
def command() -> None:
    """Migrate, back up, restore and prune what a server remembers."""


@command.command(name="migrate")
@database_option
@state_dir_option
@first_key_option
@wait_option
@json_option
def migrate(
    database: str | None, state_dir: Path | None, first_key: bool, wait_s: float, as_json: bool
) -> None:
    """Make the database, or bring it up to date. A server does so, too, when it starts."""
    from leafsight.state import migrate, open_state

    settings = settings_for(database_url=database, state_dir=state_dir, first_key=flag_of(first_key))
    done = patiently(lambda: migrate(database_url(settings)), wait_s, talk)
    made = None
    if settings.first_key == "yes":
        with open_state(database_url(settings)) as state:
            made = make_first_key(state, settings)
    if as_json:
        asked = {"first_key": plain_first_key(made)} if settings.first_key == "yes" else {}
        print_json({"before": done.before, "now": done.now, **asked})
        return
    if done.before == done.now:
        click.echo(f"revision {done.now}, as before")
    else:
        click.echo(f"revision {done.now}" + (f", was {done.before}" if done.before else ", new"))
    tell_first_key(made)


@command.command(name="check")
@database_option
@blobs_option
@state_dir_option
@json_option
def check(database: str | None, blobs: str | None, state_dir: Path | None, as_json: bool) -> int:
    """Whether database and photographs can be used, and whether every kept photograph is there."""
    from leafsight.state import missing_blobs

    with _state(database, state_dir) as state:
        state.check()
        store = _store(blobs, state_dir)
        store.check()
        missing = missing_blobs(state, store)
    if as_json:
        print_json({"fine": not missing, "missing": list(missing)})
    else:
        click.echo("database: fine")
        click.echo(f"photographs: {f'{len(missing)} missing' if missing else 'fine'}")
        for name in missing[:SHOWN]:
            talk(f"missing: {name}")
    return 1 if missing else 0


@command.command(name="backup")
@click.argument("file", type=click.Path(path_type=Path))
@database_option
@state_dir_option
@quiet_option
@json_option
def backup(file: Path, database: str | None, state_dir: Path | None, quiet: bool, as_json: bool) -> None:
    """Save the whole database as FILE (or into a folder), also while a server runs; - is standard output.

    Photographs and secrets are not in it: copy the folder or bucket of the photographs after it.
    """
    from leafsight.state import backup

    piped = file == PIPE
    if piped and as_json:
        raise UsageError("the backup itself goes to standard output", hint="leave --json out")
    with written_or_piped_out(file, ".jsonl.gz") as target:
        done = backup(_database(database, state_dir), target)
    if as_json:
        print_json({"file": str(done.path), "bytes": done.bytes})
        return
    if not piped:
        click.echo(done.path)
    talk(f"{done.bytes:,} bytes; photographs and secrets are not in it", quiet)


@command.command(name="restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace what the database holds.")
@database_option
@state_dir_option
@json_option
def restore(file: Path, force: bool, database: str | None, state_dir: Path | None, as_json: bool) -> None:
    """Put the backup FILE (- is standard input) into the database, of either kind. Stop the server first."""
    from leafsight.state import restore

    with read_or_piped_in(file) as source:
        done = restore(source, _database(database, state_dir), force=force)
    if done.moved_to is not None:
        talk(f"the damaged database is now {done.moved_to}")
    if as_json:
        print_json({"rows": done.rows, "moved_to": str(done.moved_to) if done.moved_to else None})
        return
    print_table("", ("table", "rows"), list(done.rows.items()), right=(1,))


@command.command(name="prune")
@click.option("--older-than", metavar="AGE", help="Such as 90d, 12h or 4w.  [default: keep_days]")
@click.option("--yes", is_flag=True, help="Do it; without, only say how much that would be.")
@database_option
@blobs_option
@state_dir_option
@quiet_option
@json_option
def prune(
    older_than: str | None,
    yes: bool,
    database: str | None,
    blobs: str | None,
    state_dir: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Remove old predictions and their photographs. What somebody corrected stays, and so do uploads."""
    from leafsight.state import describe, prune

    age_ms = _age_ms(older_than or f"{settings_for().keep_days}d")
    with _state(database, state_dir) as state:
        before_ms = state.now() - age_ms
        if not yes:
            newer = state.predictions.summary(before_ms).predictions
            older = describe(state).rows["predictions"] - newer
            _say_pruned({"older": older, "removed": 0}, f"older predictions: {older}", as_json)
            talk("nothing was removed; --yes removes all of them that nobody corrected", quiet)
            return
        store = _store(blobs, state_dir)
        store.check()  # before a row goes: a photograph without its row is harder to find
        pruned = prune(state, before_ms)
        photographs = _remove_photographs(state, store, pruned.blobs, before_ms)
    removed = pruned.rows["predictions"]
    text = f"predictions removed: {removed}, photographs removed: {photographs}"
    _say_pruned({"removed": removed, "photographs": photographs, "rows": dict(pruned.rows)}, text, as_json)


@command.command(name="describe")
@database_option
@state_dir_option
@json_option
def describe(database: str | None, state_dir: Path | None, as_json: bool) -> None:
    """What the database is and how much it holds."""
    from leafsight.state import describe

    with _state(database, state_dir) as state:
        found = describe(state)
    if as_json:
        from dataclasses import asdict

        print_json({**asdict(found), "rows": dict(found.rows)})
        return
    rows: list[tuple[str, object]] = [
        ("where", found.where), ("kind", found.kind), ("revision", found.revision),
        ("bytes", f"{found.size_bytes:,}"), *found.rows.items(),
    ]  # fmt: skip
    print_table("", ("what", "value"), rows, right=(1,))


def _remove_photographs(state: State, store: Blobs, named: tuple[str, ...], before_ms: int) -> int:
    """Remove those whose rows are gone, then those that an earlier process left behind; say how many."""
    from leafsight.state import stray_photographs

    count = 0
    # A server may have put a photograph this moment and its row not yet.
    settled_ms = min(before_ms, state.now() - HOUR_MS)
    try:
        for names in (named, stray_photographs(state, store, settled_ms)):
            for name in names:
                store.delete(name)
                count += 1
    except LeafsightError:
        talk("not all photographs were removed; run it again, and the rest will be found")
        raise
    return count


def _say_pruned(values: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        print_json(values)
    else:
        click.echo(text)


def _age_ms(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,6})([hdw])", text)
    if found is None:
        raise UsageError(f"'{text}' is no age", hint="such as 90d, 12h or 4w")
    return int(found[1]) * UNITS_MS[found[2]]


def _database(database: str | None, state_dir: Path | None) -> str:
    return database_url(settings_for(database_url=database, state_dir=state_dir))


def _state(database: str | None, state_dir: Path | None) -> State:
    from leafsight.state import open_state

    return open_state(existing_database_url(settings_for(database_url=database, state_dir=state_dir)))


def _store(blobs: str | None, state_dir: Path | None) -> Blobs:
    from leafsight.state import open_blobs

    return open_blobs(blob_url(settings_for(blob_url=blobs, state_dir=state_dir)))
