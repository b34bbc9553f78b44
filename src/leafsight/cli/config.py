"""``leafsight config``: the settings that hold here, where each comes from, and their faults."""

from __future__ import annotations

import os
from pathlib import Path

import click

from leafsight.cli.terminal import json_option, print_json, print_table


@click.group(name="config")
def command() -> None:
    """Show and check the settings."""


@command.command(name="check")
def check() -> None:
    """Say 'fine', or list every fault of leafsight.toml and LEAFSIGHT_* at once."""
    from leafsight.settings import load_settings

    load_settings(Path.cwd(), os.environ)
    click.echo("the settings are fine")


@command.command(name="show")
@json_option
def show(as_json: bool) -> None:
    """Every setting, its value and where the value comes from."""
    from leafsight.settings import descriptions, load_settings, origins

    values = load_settings(Path.cwd(), os.environ).to_dict()
    sources = origins(Path.cwd(), os.environ)
    if as_json:
        print_json({key: {"value": value, "from": sources[key]} for key, value in values.items()})
        return
    told = descriptions()
    rows = [(key, value, sources[key], told[key]) for key, value in values.items()]
    print_table("", ("setting", "value", "from", "what it does"), rows)
