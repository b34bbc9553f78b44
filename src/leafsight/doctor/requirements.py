"""What leafsight asks of other libraries, out of the metadata of its package, against what is installed.

Enters: lines of requirements as wheels carry them (PEP 508), and a look-up of versions. Leaves: rows. It does
not know which of them somebody wants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OWN = "leafsight"


@dataclass(frozen=True, slots=True)
class Library:
    """One library that is asked for.

    Attributes:
        name: as on PyPI.
        asked: the range, such as ``>=2.0``; empty for any.
        installed: its version, or None.
        fits: whether that is within the range.
        is_excluded: the range names just this version as one that does not work.
    """

    name: str
    asked: str
    installed: str | None
    fits: bool
    is_excluded: bool


def asked_for(lines: Sequence[str], extra: str, installed: Callable[[str], str | None]) -> list[Library]:
    """The libraries of an extra on this machine, those of extras inside it included.

    Args:
        lines: requirements of leafsight.
        extra: its name; empty for the base.
        installed: name -> version, or None.
    """
    found = {canonicalize_name(one.name): _library(one, installed) for one in _of_extra(lines, extra)}
    return [found[name] for name in sorted(found)]


def _of_extra(lines: Sequence[str], extra: str) -> Iterator[Requirement]:
    for line in lines:
        one = Requirement(line)
        in_base = one.marker is None or one.marker.evaluate({"extra": ""})
        if extra and in_base:
            continue
        if one.marker is not None and not one.marker.evaluate({"extra": extra}):
            continue
        if canonicalize_name(one.name) != OWN:
            yield one
        else:
            for inner in sorted(one.extras):
                yield from _of_extra(lines, inner)


def _library(one: Requirement, installed: Callable[[str], str | None]) -> Library:
    version = installed(one.name)
    if version is None:
        return Library(one.name, str(one.specifier), None, fits=False, is_excluded=False)
    fits = one.specifier.contains(version, prereleases=True)
    excluded = any(
        spec.operator == "!=" and not spec.contains(version, prereleases=True) for spec in one.specifier
    )
    return Library(one.name, str(one.specifier), version, fits, excluded)
