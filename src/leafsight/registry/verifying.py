"""Everything in the registry read and hashed once more.

Enters: the registry as it can be read. Leaves: what cannot be used, and what puts it right. It changes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from leafsight.errors import LeafsightError
from leafsight.registry.reading import AnyPointers, RegistryReader
from leafsight.registry.records import Damage, Entry


def damages(
    registry: RegistryReader,
    hashes: Collection[str],
    pointers: AnyPointers,
    read: Callable[[Entry], object],
    where: Callable[[Entry], object],
) -> tuple[Damage, ...]:
    """What is wrong: first the bundles, then the aliases, each in order of name.

    Args:
        registry: which.
        hashes: of every model.
        pointers: of the same registry.
        read: reads and hashes the bundle of an entry, or raises.
        where: it lies, for people.
    """
    pointed = registry.aliases()
    found = []
    for content_hash in sorted(hashes):
        try:
            entry = registry.get(content_hash)
            read(entry)
            if not entry.damaged:
                continue
            message, hint = (
                f"{where(entry)} is whole but of another size than recorded",
                f"leafsight models add {where(entry)}",
            )
        except LeafsightError as error:
            message, hint = error.message, error.hint
        names = tuple(alias for alias, there in pointed.items() if there == content_hash)
        found.append(Damage(content_hash, message, hint, names))
    for alias in pointers.names():
        found += _of_alias(registry, alias, hashes, pointers)
    return tuple(found)


def _of_alias(
    registry: RegistryReader, alias: str, hashes: Collection[str], pointers: AnyPointers
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
