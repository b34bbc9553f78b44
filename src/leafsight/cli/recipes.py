"""``leafsight recipes``: list, copy and check training recipes."""

from __future__ import annotations

from pathlib import Path

import click

from leafsight.cli.terminal import json_option, print_json, print_table


@click.group(name="recipes")
def command() -> None:
    """List, copy and check training recipes."""


@command.command(name="ls")
@json_option
def list_recipes(as_json: bool) -> None:
    """The recipes that ship with leafsight and what to expect of each."""
    import tomllib

    from leafsight.training import recipe_names, recipe_text

    # The headers alone: reading a whole recipe needs torch, which a person who chooses may not have yet.
    headers = [tomllib.loads(recipe_text(name))["recipe"] for name in recipe_names()]
    if as_json:
        print_json(headers)
        return
    rows = [(header["name"], header.get("title", ""), header.get("duration", "")) for header in headers]
    print_table("", ("recipe", "what it is for", "how long"), rows)


@command.command(name="cp")
@click.argument("name")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def copy(name: str, target: Path, force: bool) -> None:
    """Copy the recipe NAME to TARGET (a file or a folder) to make it yours."""
    from leafsight.training import copy_recipe

    click.echo(copy_recipe(name, target, force=force))


@command.command(name="check")
@click.argument("recipe")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value.")
@click.option("--resolved", is_flag=True, help="Print the recipe with every default filled in.")
def check(recipe: str, overrides: tuple[str, ...], resolved: bool) -> None:
    """Check RECIPE (a name or a file) and its ablations: all faults at once, or 'fine'."""
    from leafsight.experiments import plan_ablation
    from leafsight.training import read_recipe_file, recipe_as_toml

    source = read_recipe_file(recipe, overrides)
    loaded = source.recipe()
    for name in loaded.ablations:
        plan_ablation(source, name)
    click.echo(recipe_as_toml(loaded).rstrip() if resolved else f"{recipe} is fine")
