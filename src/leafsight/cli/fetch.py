"""``leafsight fetch``: published collections of photographs, onto this disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.terminal import (
    json_option,
    print_json,
    print_table,
    progress,
    quiet_option,
    settings_for,
    talk,
)

if TYPE_CHECKING:
    from leafsight.dataset import fetching

HASHES_FILE = "fetched-hashes.json"


@click.command(name="fetch")
@click.argument("name", required=False)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the collection.  [default: ./NAME]")
@click.option("--accept-licence", is_flag=True, help="You have read the licence and agree.")
@click.option(
    "--from",
    "archives",
    multiple=True,
    type=click.Path(path_type=Path),
    help="An archive that you downloaded by hand; several times for several.",
)
@click.option(
    "--trust", "trusted", multiple=True, help="SHA-256 of a changed file that you know to be right."
)
@click.option(
    "--catalogue",
    "catalogue_path",
    type=click.Path(path_type=Path),
    help="Your own list of collections (TOML).",
)
@click.option(
    "--retries", default=5, show_default=True, type=click.IntRange(0, 100), help="Attempts in vain."
)
@click.option("--stall", default=30.0, show_default=True, help="Seconds of silence on the line.")
@click.option("--timeout", default=86400.0, show_default=True, help="Seconds for one file in all.")
@quiet_option
@json_option
def command(
    name: str | None,
    out: Path | None,
    accept_licence: bool,
    archives: tuple[Path, ...],
    trusted: tuple[str, ...],
    catalogue_path: Path | None,
    retries: int,
    stall: float,
    timeout: float,
    quiet: bool,
    as_json: bool,
) -> None:
    """Download the collection NAME; without NAME, list what there is.

    Nothing is downloaded before you agree to the licence. An interrupted download goes on where it was.
    A collection that is there already is verified, and nothing else is done.
    """
    from leafsight.dataset import fetching

    if name is None:
        return _list(fetching.catalogue(catalogue_path), as_json)
    collection = fetching.collection_named(name, catalogue_path)
    folder = out or Path(collection.name)
    accepted = fetching.is_fetched(folder) or _agreed(collection, accept_licence)
    patience: dict[str, object] = {"retries": retries, "stall_s": stall, "total_s": timeout}
    options = _options(accepted, archives, trusted, patience)
    fetched = fetching.fetch_collection(collection, folder, options, progress(quiet))
    for file in fetched.files:
        if fetched.is_new and not file.known_from:
            talk(f"{file.name}: nobody states its hash; trusted on first use: SHA-256 {file.sha256}", quiet)
    if as_json:
        print_json(fetched.to_dict())
    else:
        _print(fetched)
    return None


def _options(
    accepted: bool, archives: tuple[Path, ...], trusted: tuple[str, ...], patience: dict[str, object]
) -> fetching.FetchOptions:
    from leafsight.dataset import fetching
    from leafsight.errors import validated

    user, key = os.environ.get("KAGGLE_USERNAME", ""), os.environ.get("KAGGLE_KEY", "")
    values: dict[str, object] = {
        "licence_accepted": accepted,
        "archives": archives,
        "kaggle": (user, key) if user and key else None,
        "known_hashes": settings_for().cache_dir / HASHES_FILE,
        "trusted_sha256": tuple(word.lower() for word in trusted),
        "download": patience,
    }
    return validated(fetching.FetchOptions, values, "fetch")


def _agreed(collection: fetching.Collection, accept_licence: bool) -> bool:
    """Show the licence; whether the person agrees, asked for on a terminal only."""
    licence = collection.licence
    for line in (f"{collection.title}: licence {licence.name}", licence.address, licence.notice):
        if line:
            talk(line)
    if accept_licence or not sys.stdin.isatty():
        return accept_licence
    return click.prompt("Do you agree? Type yes", default="no", err=True).strip().lower() == "yes"


def _list(collections: tuple[fetching.Collection, ...], as_json: bool) -> None:
    from leafsight.storage import bytes_in_words

    if as_json:
        print_json(
            [one.model_dump(mode="json") | {"download_bytes": one.download_bytes} for one in collections]
        )
        return
    rows = [
        (
            one.name,
            one.classes or "?",
            one.photographs or "?",
            "?" if one.download_bytes is None else bytes_in_words(one.download_bytes),
            one.licence.name,
            one.homepage,
        )
        for one in collections
    ]
    print_table(
        "", ("name", "classes", "photographs", "download", "licence", "address"), rows, right=(1, 2, 3)
    )


def _print(fetched: fetching.Fetched) -> None:
    state = "fetched" if fetched.is_new else "already there, every file as it came"
    click.echo(
        f"{fetched.collection}: {state}: {fetched.photographs} photographs in {len(fetched.classes)} classes"
        f": {fetched.folder}"
    )
    if fetched.renamed:
        click.echo(f"{fetched.renamed} files could not keep their names; names.csv has both")
    if fetched.coverage:
        mapped = sum(one.mapped for one in fetched.coverage)
        click.echo(f"leaf_groups.csv knows the leaf of {mapped} of {fetched.photographs} photographs")
        rows = [(one.class_name, one.photographs, one.mapped, one.leaves) for one in fetched.coverage]
        print_table("", ("class", "photographs", "of a known leaf", "leaves"), rows, right=(1, 2, 3))
