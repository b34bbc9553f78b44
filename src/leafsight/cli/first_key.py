"""The first key of a new server, for set-ups that nobody sits in front of.

Enters: an open database and whether a first key is wanted. Leaves: one key with all scopes, told once. Of
several servers that start at once on one database, one makes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.terminal import talk

if TYPE_CHECKING:
    from leafsight.settings import Settings
    from leafsight.state import KeyRecord, State

NAME = "first"
first_key_option = click.option(
    "--first-key", is_flag=True, help="Make a key with all scopes and print it once, if there is none yet."
)


def flag_of(first_key: bool) -> str | None:
    """The flag in the words of the setting; not given leaves it to file and environment."""
    return "yes" if first_key else None


def make_first_key(state: State, settings: Settings) -> tuple[KeyRecord, str] | None:
    """Make the first key if it is wanted and there was never one; its record and token.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    if settings.first_key != "yes":
        return None
    from leafsight.state import SCOPES

    return state.keys.make_first(NAME, SCOPES)


def plain_first_key(made: tuple[KeyRecord, str] | None) -> dict[str, Any] | None:
    """The same for JSON, as ``leafsight keys make --json`` writes a key."""
    from dataclasses import asdict

    return None if made is None else {**asdict(made[0]), "scopes": list(made[0].scopes), "key": made[1]}


def tell_first_key(made: tuple[KeyRecord, str] | None) -> None:
    """Print it on stderr, the only time that it is shown."""
    if made is None:
        return
    record, token = made
    scopes = " and ".join([", ".join(record.scopes[:-1]), record.scopes[-1]])
    talk(f"first key: {token}")
    talk(f"it opens {scopes}; it is not shown again; leafsight keys revoke {record.id} takes it back")
