"""``leafsight show``: what is inside a model file, a run, an index, or what is known of a condition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from leafsight.cli.terminal import json_option, print_json
from leafsight.errors import UsageError

BUILTIN = "builtin"


@click.command(name="show")
@click.argument("what", default=BUILTIN)
@json_option
def command(what: str, as_json: bool) -> None:
    """Show WHAT: builtin, a model file, a run folder, an index, or a condition ('tomato early blight')."""
    path = Path(what)
    if what == BUILTIN or path.suffix == ".leafsight" or (path / "manifest.json").exists():
        _show_model(None if what == BUILTIN else path, as_json)
    elif path.suffix == ".parquet":
        _show_index(path, as_json)
    elif (path / "run.json").exists():
        _show_run(path, as_json)
    else:
        _show_condition(what, as_json)


def _show_model(path: Path | None, as_json: bool) -> None:
    from leafsight.bundle import builtin_bundle_path, open_bundle

    bundle = open_bundle(path or builtin_bundle_path())
    if as_json:
        print_json(
            {
                "name": bundle.name,
                "content_hash": bundle.content_hash,
                "classes": list(bundle.classes),
                "preprocessing": bundle.preprocessing,
                "metrics": bundle.metrics,
                "provenance": bundle.provenance,
            }
        )
        return
    click.echo(bundle.card)
    click.echo(f"content hash: {bundle.content_hash}")


def _show_index(path: Path, as_json: bool) -> None:
    from leafsight.dataset import PhotoIndex, split_summary

    summary = split_summary(PhotoIndex.load(path))
    if as_json:
        print_json(summary.to_dict())
    else:
        click.echo("\n".join(summary.lines()))


def _show_run(path: Path, as_json: bool) -> None:
    from leafsight.storage import read_json

    record: dict[str, Any] = read_json(path / "run.json")
    if as_json:
        print_json(record)
        return
    for key in ("status", "recipe", "seed"):
        click.echo(f"{key}: {record.get(key)}")
    if "best" in record:
        from leafsight.cli.train import best_epoch, validation_numbers

        click.echo(f"took: {record['duration_s']:.0f} s")
        parts = [one["folder"] for one in record.get("averaged", ()) if one["kept"]]
        if parts:
            click.echo(f"the mean of the weights of {', '.join(parts)}: {validation_numbers(record['best'])}")
        else:
            click.echo(best_epoch(record["best"]))


def _show_condition(what: str, as_json: bool) -> None:
    from leafsight.taxonomy import card, find_class, has_card

    found = find_class(what)
    if not found.known or not has_card(found.key):
        raise UsageError(
            f"'{what}' is no model file, run, index or condition that leafsight knows",
            hint="such as: leafsight show 'tomato early blight'",
        )
    told = card(found.key)
    if as_json:
        from dataclasses import asdict

        print_json({"display": found.display, "agent": found.agent, **asdict(told)})
        return
    click.echo(found.display + (f" ({found.agent})" if found.agent else ""))
    for title, text in (
        ("What it is", told.what_it_is),
        ("What it looks like", told.looks_like),
        ("Mistaken for", "; ".join(find_class(key).display for key in told.mistaken_for)),
        ("How to tell them apart", told.told_apart),
        ("What growers commonly do", told.growers_do),
        ("When to ask an expert", told.ask_an_expert),
        ("Sources", "; ".join(f"{source.institution}: {source.title}" for source in told.sources)),
    ):
        if text:
            click.echo(f"\n{title}\n  {text}")
