"""One value at a time: from what a file or the environment says to what a setting wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from leafsight.errors import Fault, nearest
from leafsight.settings.values import Settings

MAX_TEXT = 2000
KNOWN: dict[str, Field[Any]] = {one.name: one for one in fields(Settings)}


class _NotUsableError(Exception):
    """The value cannot be used; the message says what is wanted."""


def parsed(values: Mapping[str, Any], where: str, prefix: str = "") -> tuple[dict[str, Any], list[Fault]]:
    """Good values by setting, and a fault for each of the others.

    Args:
        values: setting -> value; numbers may be spelt as text.
        where: the source, shown in faults.
        prefix: how the source spells settings: ``LEAFSIGHT_`` and capitals when given.
    """

    def spelt(name: str) -> str:
        return f"{prefix}{name.upper()}" if prefix else name

    good: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, value in values.items():
        if name not in KNOWN:
            close = nearest(name, KNOWN)
            known = ", ".join(spelt(one) for one in KNOWN)
            faults.append(
                Fault(where, spelt(name), "an unknown key", f"one of {known}", spelt(close) if close else "")
            )
            continue
        try:
            good[name] = _value(KNOWN[name], value)
        except _NotUsableError as error:
            got = "a value that is not shown" if KNOWN[name].metadata["secret"] else repr(value)[:80]
            faults.append(Fault(where, spelt(name), got, str(error)))
    return good, faults


def _value(wanted: Field[Any], value: Any) -> Any:
    if wanted.type == "int":
        return _number(value, wanted.metadata["least"], wanted.metadata["most"])
    if wanted.type == "str":
        return _text(value, wanted.metadata["choices"])
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise _NotUsableError("a path")
    return Path(value)


def _text(value: Any, choices: tuple[str, ...]) -> str:
    if choices and value not in choices:
        raise _NotUsableError("one of " + ", ".join(choices))
    if not isinstance(value, str) or not value.isprintable() or len(value) > MAX_TEXT:
        raise _NotUsableError(f"one line of at most {MAX_TEXT} characters")
    return value


def _number(value: Any, least: int | None, most: int | None) -> int:
    limits = f"at least {least}" + (f" and at most {most}" if most is not None else "")
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _NotUsableError(f"a whole number, {limits}")
    try:
        number = int(value)
    except ValueError as error:
        raise _NotUsableError(f"a whole number, {limits}") from error
    if (least is not None and number < least) or (most is not None and number > most):
        raise _NotUsableError(limits)
    return number
