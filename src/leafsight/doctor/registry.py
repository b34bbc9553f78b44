"""Whether the names of the registry point to models that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from leafsight.doctor.findings import Finding, counted, of_error
from leafsight.errors import LeafsightError
from leafsight.storage import os_errors_translated

SHORT_DIGITS = 12
AWAY = "see that the bucket runs there, and correct LEAFSIGHT_REGISTRY_URL if it is elsewhere"


def check_registry(folder: Path, url: str, *, timeout_s: float) -> Iterator[Finding]:
    """Look at every alias; what a bundle holds is not read here (``leafsight models verify`` does that).

    Args:
        folder: of the registry, or of what is kept here of a bucket.
        url: of the bucket, or empty.
        timeout_s: how long the bucket may be silent.
    """
    from leafsight.registry import open_registry

    where = url.partition("?")[0] if url else str(folder)
    try:
        mirror = None
        if url:
            from leafsight.state import open_objects

            mirror = open_objects(url, timeout_s=timeout_s)
        elif not _exists(folder):
            said = f"{folder} is not there yet; the built-in model serves"
            yield Finding("registry.opens", "ok", said)
            return
        registry = open_registry(folder, mirror=mirror, tidy=False)
        aliases, named = registry.aliases(), registry.alias_names()
    except LeafsightError as error:
        yield of_error("registry.opens", error, busy=AWAY)
        return
    yield Finding("registry.opens", "ok", f"{where} has {counted(len(aliases), 'name')}")
    for alias in sorted({*aliases, *named}):
        try:
            entry = registry.get(alias)
        except LeafsightError as error:
            yield of_error(f"registry.{alias}", error, busy=AWAY)
            continue
        short = f"{entry.name} {entry.hash[:SHORT_DIGITS]}"
        if entry.damaged:
            yield Finding(
                f"registry.{alias}", "fail",
                f"{alias} points to {short}, whose file is gone or of another size",
                f"leafsight models rollback --alias {alias}, or leafsight models add FILE",
            )  # fmt: skip
        else:
            yield Finding(f"registry.{alias}", "ok", f"{alias} points to {short}, which is there")


def _exists(folder: Path) -> bool:
    with os_errors_translated(folder):
        return folder.exists()
