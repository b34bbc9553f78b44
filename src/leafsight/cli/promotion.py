"""``leafsight promote | rollback | history``: which model serves, and which did before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.desk import Plain, at_hand, desk_for, key_option, person, server_option
from leafsight.cli.places import database_option, state_dir_option
from leafsight.cli.terminal import json_option, print_json, print_table, settings_for

if TYPE_CHECKING:
    from leafsight.registry import Change, Registry
    from leafsight.settings import Settings

SHORT_DIGITS = 12
alias_option = click.option(
    "--alias", default="serving", show_default=True, help="The name that points to a model."
)
reason_option = click.option("--reason", default="", help="Why; kept in the history.")
override_option = click.option(
    "--override", is_flag=True, help="Also when its gate did not hold; that is recorded."
)
steps_option = click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many promotions to take back.",
)
limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Most changes."
)


def everywhere(command: Any) -> Any:
    """The options that say whose registry it is."""
    for option in (database_option, state_dir_option, key_option, server_option):
        command = option(command)
    return command


@click.command(name="promote")
@click.argument("id", metavar="ID")
@alias_option
@override_option
@reason_option
@everywhere
@json_option
def promote(
    id: str,  # noqa: A002 (the word people type)
    alias: str,
    override: bool,
    reason: str,
    server: str | None,
    key: str | None,
    as_json: bool,
    **places: Any,
) -> None:
    """Let the model ID serve, all at once: a hash, its first digits, or an alias such as challenger.

    One whose gate did not hold needs --override.
    """
    settings = _settings(server, key, places)
    if settings.server:
        with desk_for(server, key) as desk:
            change = desk.learning.promote(id, alias=alias, reason=reason, override=override)
    else:
        change = plain_of(promote_here(settings, id, alias, reason, override=override))
    _tell(change, as_json)


@click.command(name="rollback")
@alias_option
@steps_option
@reason_option
@everywhere
@json_option
def rollback(
    alias: str, steps: int, reason: str, server: str | None, key: str | None, as_json: bool, **places: Any
) -> None:
    """Put the former model back in its place."""
    settings = _settings(server, key, places)
    if settings.server:
        with desk_for(server, key) as desk:
            before = desk.learning.model_history(alias, 1)
            change = desk.learning.roll_back(
                alias=alias, steps=steps, reason=reason, over=before[0]["model"] if before else None
            )
    else:
        change = plain_of(roll_back_here(settings, alias, steps, reason))
    _tell(change, as_json)


@click.command(name="history")
@alias_option
@limit_option
@everywhere
@json_option
def history(
    alias: str, limit: int, server: str | None, key: str | None, as_json: bool, **places: Any
) -> None:
    """What served, the newest first: since when, why, and by whom."""
    settings = _settings(server, key, places)
    if settings.server:
        with desk_for(server, key) as desk:
            changes = desk.learning.model_history(alias, limit)
    else:
        changes = [plain_of(one) for one in registry_for(settings).history(alias, limit)]
    if as_json:
        print_json(changes)
    else:
        print_changes(changes)


def registry_for(settings: Settings) -> Registry:
    """The registry that the settings name: the folder, or the bucket with the folder as its cache."""
    from leafsight.cli.places import registry_dir
    from leafsight.registry import open_registry

    mirror = None
    if settings.registry_url:
        from leafsight.state import open_objects

        mirror = open_objects(settings.registry_url)
    return open_registry(registry_dir(settings), mirror=mirror)


def promote_here(settings: Settings, wanted: str, alias: str, reason: str, *, override: bool) -> Change:
    """Promote a model; where there is a state, its gate is looked at and the watch begins.

    Raises:
        ConflictError: its gate did not hold, and there is no ``override``.
        LeafsightError: the registry cannot do it.
    """
    if not _has_state(settings):
        return registry_for(settings).promote(wanted, alias, reason, person())
    with at_hand(settings) as here:
        here.promote(wanted, alias=alias, reason=reason, override=override)
        return here.registry.history(alias, 1)[0]


def roll_back_here(settings: Settings, alias: str, steps: int, reason: str) -> Change:
    """Put a former model back.

    Raises:
        LeafsightError: the registry cannot do it.
    """
    if not _has_state(settings):
        return registry_for(settings).rollback(alias, steps, reason, person())
    with at_hand(settings) as here:
        here.roll_back(alias=alias, steps=steps, reason=reason)
        return here.registry.history(alias, 1)[0]


def plain_of(change: Change) -> Plain:
    """A change as a server answers it."""
    return {
        "alias": change.alias, "number": change.number, "kind": change.kind, "model": change.hash,
        "former": change.former, "created_at": change.since_ms, "reason": change.reason, "by": change.by,
    }  # fmt: skip


def print_changes(changes: list[Plain]) -> None:
    """The table of a history."""
    rows = [
        (
            one["number"], one["kind"], one["model"][:SHORT_DIGITS], moment(one["created_at"]), one["by"],
            one["reason"],
        )
        for one in changes
    ]  # fmt: skip
    print_table("", ("change", "kind", "hash", "since (UTC)", "by", "reason"), rows, right=(0,))


def moved(change: Plain) -> str:
    """One line on a change."""
    return f"{change['alias']} is {change['model'][:SHORT_DIGITS]} since {moment(change['created_at'])} UTC"


def moment(moment_ms: int) -> str:
    """A moment for people; nothing for the built-in model, which was always there."""
    from datetime import UTC, datetime

    try:
        when = datetime.fromtimestamp(moment_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return "?"
    return when.strftime("%Y-%m-%d %H:%M:%S") if moment_ms else ""


def _has_state(settings: Settings) -> bool:
    """Whether there is a database that may know of gates; one is not made for that."""
    from leafsight.cli.places import SQLITE, database_url

    url = database_url(settings)
    return not url.startswith(SQLITE) or Path(url.removeprefix(SQLITE)).expanduser().exists()


def _settings(server: str | None, key: str | None, places: dict[str, Any]) -> Settings:
    return settings_for(
        server=server, key=key, state_dir=places["state_dir"], database_url=places["database"]
    )


def _tell(change: Plain, as_json: bool) -> None:
    if as_json:
        print_json(change)
    else:
        click.echo(moved(change))
