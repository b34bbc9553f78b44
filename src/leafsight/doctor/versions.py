"""Whether Python, leafsight and the libraries of its extras fit together, and onnxruntime really runs."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from leafsight import __version__
from leafsight.doctor.findings import Finding

if TYPE_CHECKING:
    from leafsight.doctor.requirements import Library

OWN = "leafsight"
NOT_FOR_PEOPLE = frozenset({"dev"})
"""Extras for those who work on leafsight itself."""
WHY_BAD = {"pyside6-essentials": "it crashes after some thousand signals"}
MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Installed:
    """What the metadata of this Python say.

    Attributes:
        version: of leafsight, or None where it was not installed as a package.
        python: range that it asks for.
        requires: its requirements.
        extras: names of its extras.
        of: name of a library -> its version, or None.
    """

    version: str | None
    python: str
    requires: Sequence[str]
    extras: Sequence[str]
    of: Callable[[str], str | None]


def installed_here() -> Installed:
    """What is installed for this Python."""
    try:
        own = metadata.metadata(OWN)
    except metadata.PackageNotFoundError:
        return Installed(None, "", (), (), _version_of)
    requires = metadata.requires(OWN) or []
    extras = own.get_all("Provides-Extra") or []
    return Installed(
        own["Version"],
        (own.get_all("Requires-Python") or [""])[0],
        requires,
        sorted(extras),
        _version_of,
    )


def _version_of(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_versions(found: Installed | None = None) -> Iterator[Finding]:
    """Python, leafsight, the base and every extra, onnxruntime.

    Args:
        found: what is installed; looked up where not given.
    """
    from leafsight.doctor.requirements import asked_for

    found = found or installed_here()
    yield _python(found.python)
    yield _leafsight(found.version)
    if found.version is not None:
        yield _base(asked_for(found.requires, "", found.of))
        yield from _extras(found)
    yield _onnxruntime()


def _python(asked: str) -> Finding:
    from packaging.specifiers import SpecifierSet

    name, version = "versions.python", platform.python_version()
    if asked and not SpecifierSet(asked).contains(version, prereleases=True):
        return Finding(
            name, "fail", f"Python {version}, wanted {asked}", f"install leafsight for Python {asked}"
        )
    return Finding(name, "ok", f"Python {version} ({sys.platform})")


def _leafsight(version: str | None) -> Finding:
    name = "versions.leafsight"
    if version is None:
        return Finding(
            name, "warn", f"leafsight {__version__} runs from its source or as a program of its own, so the"
            " ranges of its libraries are not known", "install it with pip to have them compared",
        )  # fmt: skip
    if version != __version__:
        return Finding(
            name, "warn", f"leafsight {__version__} runs, but {version} is installed",
            "look for a second copy in PYTHONPATH or the present folder",
        )  # fmt: skip
    return Finding(name, "ok", f"leafsight {version}")


def _base(libraries: Sequence[Library]) -> Finding:
    wrong = [one for one in libraries if not one.fits]
    if wrong:
        return Finding(
            "versions.base", "fail", _told(wrong), f"pip install -U {' '.join(_asked(one) for one in wrong)}"
        )
    return Finding(
        "versions.base", "ok", f"all {len(libraries)} libraries of the base are within their ranges"
    )


def _extras(found: Installed) -> Iterator[Finding]:
    from leafsight.doctor.requirements import asked_for

    extras = {extra: asked_for(found.requires, extra, found.of) for extra in found.extras}
    names = {extra: {one.name for one in libraries} for extra, libraries in extras.items()}
    for extra, every in extras.items():
        if extra not in NOT_FOR_PEOPLE:
            # What smaller extras bring says nothing about whether somebody wanted this one.
            smaller = [other for other in names.values() if other < names[extra]]
            own = names[extra].difference(*smaller)
            yield _extra(extra, every, is_wanted=any(one.installed for one in every if one.name in own))


def _extra(extra: str, every: Sequence[Library], *, is_wanted: bool) -> Finding:
    name, line = f"versions.{extra}", f"pip install 'leafsight[{extra}]'"
    if not is_wanted:
        return Finding(name, "skipped", f"the extra {extra} is not installed", f"{line}, if it is wanted")
    wrong = [one for one in every if not one.fits]
    if not wrong:
        return Finding(name, "ok", f"the extra {extra} is complete ({len(every)} libraries)")
    bad = any(one.is_excluded for one in wrong)
    missing = sum(one.installed is None for one in wrong)
    said = (
        f"the extra {extra} is there in part: {missing} of {len(every)} libraries are missing; {_told(wrong)}"
    )
    if not missing:
        said = f"the extra {extra} does not fit: {_told(wrong)}"
    return Finding(name, "fail" if bad else "warn", said, line.replace("install", "install -U"))


def _told(libraries: Sequence[Library]) -> str:
    told = [_told_one(one) for one in libraries[:MOST_NAMED]]
    more = len(libraries) - MOST_NAMED
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")


def _told_one(one: Library) -> str:
    if one.installed is None:
        return f"{one.name} is missing"
    if one.is_excluded:
        why = WHY_BAD.get(one.name.lower())
        return f"{one.name} {one.installed} is known to be bad" + (f": {why}" if why else "")
    return f"{one.name} {one.installed} is not {one.asked}"


def _asked(one: Library) -> str:
    return f"'{one.name}{one.asked}'"


def _onnxruntime(path: Path | None = None) -> Finding:
    """A session on the built-in network, which is there wherever leafsight is whole."""
    from leafsight.bundle import builtin_bundle_path, open_bundle
    from leafsight.errors import LeafsightError

    name, version = "versions.onnxruntime", _version_of("onnxruntime")
    try:
        bundle = open_bundle(path or builtin_bundle_path(), keep_network=True)
    except LeafsightError as error:
        return Finding(
            name, "skipped", f"there is no built-in network to try it with: {error.message}", error.hint
        )
    try:
        from leafsight.inference import OnnxNetwork

        OnnxNetwork(bundle.network(), bundle.network_spec).warm_up()
    except Exception as error:  # a library that is broken in any way
        said = f"onnxruntime {version or '(missing)'} makes no session: {type(error).__name__}"
        return Finding(name, "fail", said, "pip install --force-reinstall onnxruntime")
    return Finding(name, "ok", f"onnxruntime {version} made a session and ran the built-in network")
