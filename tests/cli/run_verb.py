"""One verb run as the program runs it, whether the program knows it already or not."""

from __future__ import annotations

from unittest import mock

import click
from tests.journeys.small_world import Outcome, leafsight

from leafsight.cli import entry


def run_verb(command: click.Command, *words: object) -> Outcome:
    """The verb with its words: what a person sees of it."""
    assert command.name is not None
    alone = click.Group(commands={command.name: command})
    with mock.patch.object(entry, "command", alone):
        return leafsight(command.name, *words)
