"""What servers of other versions may answer: every field gone or of another type, one at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

OTHERS: tuple[Any, ...] = (None, 7, -1.5, 10**30, True, "another_word", "", [], {}, [None], ["x"], {"x": 1})
Place = tuple[str | int, ...]


def places(plain: Any, above: Place = ()) -> Iterator[Place]:
    """Where something stands in an answer."""
    rows = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for name, inner in rows:
        yield (*above, name)
        yield from places(inner, (*above, name))


def changed(plain: Any, others: tuple[Any, ...] = OTHERS) -> Iterator[tuple[str, Any]]:
    """The answer with one thing gone, or another in its place; and what was done, in words."""
    for place in places(plain):
        for other in ("gone", *others):
            made = copy.deepcopy(plain)
            holder = made
            for step in place[:-1]:
                holder = holder[step]
            if other == "gone":
                del holder[place[-1]]
            else:
                holder[place[-1]] = other
            yield f"{'.'.join(map(str, place))}: {other!r}", made
    for other in others:
        yield f"the whole: {other!r}", other


def with_more(plain: Any) -> Any:
    """The answer with fields that nobody here knows, everywhere."""
    if isinstance(plain, list):
        return [with_more(one) for one in plain]
    if isinstance(plain, dict):
        return {**{name: with_more(one) for name, one in plain.items()}, "of_tomorrow": {"a": [1, "b"]}}
    return plain
