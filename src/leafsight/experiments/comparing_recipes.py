"""Which values of their recipes two networks do not share.

Enters: the values that decide the weights of each. Leaves: the key paths whose values differ, with each one's
value in words. It does not know what a key means.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NOT_THERE = "not there"
LONGEST_VALUE = 60


def differing_values(tables: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Key path -> the value of each table, for keys on which they do not agree, sorted.

    Args:
        tables: plain values; members of lists count from 0: ``stages.0.epochs``.
    """
    flat = [dict(_flat(table, "")) for table in tables]
    keys = sorted(set().union(*flat))
    values = {key: tuple(one.get(key, NOT_THERE) for one in flat) for key in keys}
    return {key: tuple(map(_short, shown)) for key, shown in values.items() if len(set(shown)) > 1}


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, below in value.items():
            yield from _flat(below, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list | tuple) and any(isinstance(member, Mapping) for member in value):
        for position, below in enumerate(value):
            yield from _flat(below, f"{path}.{position}".lstrip("."))
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
