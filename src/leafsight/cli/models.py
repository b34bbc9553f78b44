"""``leafsight models``: the bundles that may serve, which of them does, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.promotion import (
    SHORT_DIGITS,
    alias_option,
    limit_option,
    moment,
    moved,
    override_option,
    plain_of,
    print_changes,
    promote_here,
    reason_option,
    registry_for,
    roll_back_here,
    steps_option,
)
from leafsight.cli.terminal import json_option, print_json, print_table, settings_for, talk
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.registry import Change, Entry, Registry


@click.group(name="models")
def command() -> None:
    """The models that may serve: add, promote, roll back."""


@command.command(name="ls")
@json_option
def list_models(as_json: bool) -> None:
    """Every model, the newest first, with the aliases that point to it."""
    from leafsight.storage import bytes_in_words

    registry = _registry()
    aliases = registry.aliases()
    rows = [(entry, _names(entry, aliases)) for entry in registry.entries()]
    if as_json:
        print_json([entry.to_dict() | {"aliases": names} for entry, names in rows])
        return
    told = [
        (
            entry.hash[:SHORT_DIGITS],
            entry.name,
            ", ".join(names),
            moment(entry.created_ms),
            entry.classes,
            bytes_in_words(entry.bytes),
            "damaged" if entry.damaged else entry.note,
        )
        for entry, names in rows
    ]
    columns = ("hash", "name", "aliases", "added (UTC)", "classes", "size", "note")
    print_table("", columns, told, right=(4, 5))


@command.command(name="add")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--note", default="", help="What to remember about it.")
@click.option("--promote", is_flag=True, help="Let it serve at once.")
@json_option
def add(file: Path, note: str, promote: bool, as_json: bool) -> None:
    """Verify the model FILE, copy it into the registry, and print its hash."""
    registry = _registry()
    entry = registry.add(file, note)
    change = promote_here(settings_for(), entry.hash, "serving", note, override=False) if promote else None
    if as_json:
        print_json(entry.to_dict() | {"change": change.to_dict() if change else None})
        return
    click.echo(entry.hash)
    talk(moved(plain_of(change)) if change else f"next: leafsight models promote {entry.hash[:SHORT_DIGITS]}")


@command.command(name="promote")
@click.argument("id", metavar="ID")
@alias_option
@override_option
@reason_option
@json_option
def promote(id: str, alias: str, override: bool, reason: str, as_json: bool) -> None:  # noqa: A002 (the word people type)
    """Let the model ID serve, all at once: a hash, its first digits, an alias, or 'builtin'."""
    _tell(promote_here(settings_for(), id, alias, reason, override=override), as_json)


@command.command(name="rollback")
@alias_option
@steps_option
@reason_option
@json_option
def rollback(alias: str, steps: int, reason: str, as_json: bool) -> None:
    """Put the former model back in its place."""
    _tell(roll_back_here(settings_for(), alias, steps, reason), as_json)


@command.command(name="history")
@alias_option
@limit_option
@json_option
def history(alias: str, limit: int, as_json: bool) -> None:
    """What an alias pointed to, the newest first: since when, why, and by whom."""
    changes = _registry().history(alias, limit)
    if as_json:
        print_json([change.to_dict() for change in changes])
        return
    print_changes([plain_of(change) for change in changes])


@command.command(name="show")
@click.argument("id", metavar="ID", default="serving")
@json_option
def show(id: str, as_json: bool) -> None:  # noqa: A002
    """The card of the model ID (the one that serves when none is named)."""
    registry = _registry()
    entry = registry.get(id)
    bundle = registry.bundle(entry)
    names = _names(entry, registry.aliases())
    if as_json:
        told = {"classes": list(bundle.classes), "metrics": bundle.metrics, "provenance": bundle.provenance}
        print_json({"entry": entry.to_dict(), "aliases": names, **told})
        return
    click.echo(bundle.card)
    click.echo(f"content hash: {entry.hash}")
    for title, text in (("aliases", ", ".join(names)), ("note", entry.note)):
        if text:
            click.echo(f"{title}: {text}")


@command.command(name="remove")
@click.argument("id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def remove(id: str, yes: bool, as_json: bool) -> None:  # noqa: A002
    """Delete the model ID, unless an alias points to it or would after a rollback."""
    import sys

    if not yes and not sys.stdin.isatty():
        raise UsageError(f"removing {id} needs a word more", hint=f"leafsight models remove {id} --yes")
    if not yes and not click.confirm(f"Delete model {id}?", err=True):
        talk("nothing was removed")
        return
    removed = _registry().remove(id)
    print_json({"removed": removed}) if as_json else click.echo(removed)


@command.command(name="verify")
@json_option
def verify(as_json: bool) -> int:
    """Hash every model again. The exit code is 1 when one is damaged."""
    registry = _registry()
    found = registry.verify()
    if as_json:
        print_json([damage.to_dict() for damage in found])
    elif not found:
        count = len(registry.entries())
        click.echo("1 model is whole" if count == 1 else f"{count} models are whole")
    else:
        rows = [(damage.what[:SHORT_DIGITS], damage.message, damage.hint) for damage in found]
        print_table("", ("what", "is wrong", "what to do"), rows)
    return 1 if found else 0


def _registry() -> Registry:
    return registry_for(settings_for())


def _tell(change: Change, as_json: bool) -> None:
    if as_json:
        print_json(change.to_dict())
    else:
        click.echo(moved(plain_of(change)))


def _names(entry: Entry, aliases: dict[str, str]) -> list[str]:
    return [alias for alias, pointed in aliases.items() if pointed == entry.hash]
