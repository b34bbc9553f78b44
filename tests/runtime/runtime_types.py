"""The checker that the import hook puts around every annotated function of leafsight, in tests only."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TextIO

from beartype import BeartypeConf, beartype
from beartype.roar import BeartypeDecorHintException, BeartypeDecorHintPep585DeprecationWarning

# PEP 484's numeric tower: an int is welcome where a float is asked for, as mypy has it.
CONFIGURATION = BeartypeConf(is_pep484_tower=True)

UNCHECKED: set[str] = set()
"""Functions whose annotations cannot be checked while running; ``tests/promises`` knows each by name."""

LEFT_OUT: dict[str, str] = {
    "leafsight.errors.requirements": "tests hand in stand-ins for modules",
    "leafsight.training.data": "refuses arrays that do not fit by itself, which its tests want to see",
}
"""Modules that are not checked, and why; listed in ``docs/development.md``."""


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` refusing arguments and results of other types, shapes or dtypes than it announces.

    Left alone is a function with ``Self``, which beartype knows only while it decorates a whole class, with a
    protocol that is not ``runtime_checkable``, or with ``TextIO``, which no stream of a test is.
    """
    if function.__module__ in LEFT_OUT:
        return function
    try:
        if TextIO in getattr(function, "__annotations__", {}).values():
            raise BeartypeDecorHintException("no stream of a test is a TextIO")
        with warnings.catch_warnings():
            # SQLAlchemy's Row is such a hint in its own source; ours are ruff's to judge.
            warnings.simplefilter("ignore", BeartypeDecorHintPep585DeprecationWarning)
            return beartype(conf=CONFIGURATION)(function)
    except BeartypeDecorHintException:
        UNCHECKED.add(f"{function.__module__}.{function.__qualname__}")
        return function
