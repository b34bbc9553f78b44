"""Reads plain values from JSON that somebody else wrote, and trusts none of them.

Enters: one value and the name of its field. Leaves: the value with its type made sure, or ``RemoteError``.
It does not know what the fields mean, nor where the JSON came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any, NoReturn

import numpy as np

from leafsight.errors import RemoteError

Reader = Callable[[Any, str], Any]
"""From a plain value and the name of its field to a value of ours."""

MAX_ITEMS = 10_000
MAX_MAP_CELLS = 1_000_000
HINT = "is there a leafsight server at this address, and is it as new as this client?"


def read_fields(
    plain: object, readers: Mapping[str, Reader], *, needed: Iterable[str], where: str = ""
) -> dict[str, Any]:
    """The known fields of an answer; keys without a reader are left out.

    Args:
        plain: what the JSON held.
        readers: by name of the field.
        needed: names that must be there; the others may be missing.
        where: where the object stands in the answer; empty for the answer itself.

    Raises:
        RemoteError: no object, a field of another type, or a needed one is missing.
    """
    if not isinstance(plain, Mapping):
        _refuse(plain, where or "the answer", "an object")
    missing = [name for name in needed if name not in plain]
    if missing:
        raise RemoteError(f"{where or 'the answer'} has no {missing[0]!r}", hint=HINT)
    dot = where and f"{where}."
    return {name: read(plain[name], f"{dot}{name}") for name, read in readers.items() if name in plain}


def text(value: Any, where: str) -> str:
    """A string."""
    return value if isinstance(value, str) else _refuse(value, where, "a text")


def number(value: Any, where: str) -> float:
    """A finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(value, where, "a number")
    try:
        found = float(value)
    except OverflowError:  # an integer of more than 308 digits
        _refuse(value, where, "a number")
    return found if isfinite(found) else _refuse(value, where, "a finite number")


def share(value: Any, where: str) -> float:
    """A probability, 0..1."""
    found = number(value, where)
    return found if -1e-6 <= found <= 1 + 1e-6 else _refuse(value, where, "a number from 0 to 1")


def count(value: Any, where: str) -> int:
    """A whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        _refuse(value, where, "a whole number from 0 on")
    return int(value)


def numbers(value: Any, where: str) -> dict[str, float]:
    """Numbers by name."""
    return {name: number(one, f"{where}.{name}") for name, one in _object(value, where).items()}


def texts_and_numbers(value: Any, where: str) -> dict[str, Any]:
    """Texts, finite numbers, true, false and null by name: what an error is made of."""
    found = _object(value, where)
    for name, one in found.items():
        if one is not None and not isinstance(one, str | bool):
            number(one, f"{where}.{name}")
    return found


def optional(read: Reader) -> Reader:
    """The same reader, which lets ``None`` pass."""
    return lambda value, where: None if value is None else read(value, where)


def one_of(allowed: tuple[str, ...]) -> Reader:
    """A reader of one of these words."""

    def read(value: Any, where: str) -> str:
        if not isinstance(value, str) or value not in allowed:
            _refuse(value, where, "one of " + ", ".join(allowed))
        return value

    return read


def many(read: Reader) -> Reader:
    """A reader of a list of such values, as a tuple of at most ``MAX_ITEMS``."""

    def read_all(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
            _refuse(value, where, f"a list of at most {MAX_ITEMS}")
        return tuple(read(one, f"{where}[{at}]") for at, one in enumerate(value))

    return read_all


def rows_of_numbers(value: Any, where: str) -> np.ndarray:
    """Rows of equal length, 0..1, as float32 ``[h, w]`` with at most ``MAX_MAP_CELLS`` cells."""
    if not isinstance(value, list) or not value or not all(isinstance(row, list) for row in value):
        _refuse(value, where, "rows of numbers")
    widths = {len(row) for row in value}
    if len(widths) != 1 or 0 in widths or len(value) * len(value[0]) > MAX_MAP_CELLS:
        _refuse(value, where, f"rows of equal length, at most {MAX_MAP_CELLS} numbers")
    return np.array([[share(cell, where) for cell in row] for row in value], dtype=np.float32)


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        _refuse(value, where, "an object")
    return dict(value)


def _refuse(value: object, where: str, wanted: str) -> NoReturn:
    shown = "an endless number" if isinstance(value, int) and value.bit_length() > 200 else repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    raise RemoteError(f"{where} should be {wanted}, but is {shown}", hint=HINT)
