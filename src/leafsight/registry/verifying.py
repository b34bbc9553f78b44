"""Everything in the registry read and hashed once more.

Enters: the registry as it can be read. Leaves: what cannot be used, and what puts it right. It changes
nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from leafsight.errors import LeafsightError
from leafsight.registry.pointers import Pointers
from leafsight.registry.reading import RegistryReader
from leafsight.registry.records import Damage


def damages(registry: RegistryReader, hashes: Collection[str], pointers: Pointers) -> tuple[Damage, ...]:
    """What is wrong: first the bundles, then the aliases, each in order of name."""
    pointed = registry.aliases()
    found = []
    for content_hash in sorted(hashes):
        try:
            entry = registry.get(content_hash)
            path = registry.bundle(entry).path
            if not entry.damaged:
                continue
            message, hint = (
                f"{path} is whole but of another size than recorded",
                f"leafsight models add {path}",
            )
        except LeafsightError as error:
            message, hint = error.message, error.hint
        names = tuple(alias for alias, there in pointed.items() if there == content_hash)
        found.append(Damage(content_hash, message, hint, names))
    for alias in pointers.names():
        found += _of_alias(registry, alias, hashes, pointers)
    return tuple(found)


def _of_alias(
    registry: RegistryReader, alias: str, hashes: Collection[str], pointers: Pointers
) -> list[Damage]:
    found = []
    try:
        change = pointers.current(alias)
        if change is not None and change.hash not in hashes:
            registry.get(alias)
    except LeafsightError as error:
        found.append(Damage(alias, error.message, error.hint, (alias,)))
    try:
        lost = pointers.lost_lines(alias)
    except LeafsightError as error:
        found.append(Damage(alias, error.message, error.hint, (alias,)))
    else:
        if lost:
            hint = "rollback over the lost changes will ask you to promote instead"
            found.append(Damage(alias, f"{lost} lines of the history cannot be read", hint, (alias,)))
    return found
