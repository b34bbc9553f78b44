"""Hand-written validation that collects faults; pydantic's import would cost predict a tenth of a second."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from leafsight.errors import Fault

Row = TypeVar("Row")
SHA256 = re.compile(r"[0-9a-f]{64}")
LONGEST_SHOWN_CHARACTERS = 80
MAX_ROWS = 10_000
MAX_AXES = 8


class Checker:
    """Reads values out of parsed JSON; what is wrong becomes a fault and a harmless stand-in value."""

    def __init__(self, where: str = "manifest.json") -> None:
        self.where = where
        self.faults: list[Fault] = []

    def fault(self, key: str, got: object, wanted: str, nearest: str = "") -> None:
        """Note one fault; a long value is cut."""
        shown = str(got)
        if len(shown) > LONGEST_SHOWN_CHARACTERS:
            shown = shown[: LONGEST_SHOWN_CHARACTERS - 1] + "…"
        self.faults.append(Fault(self.where, key or "(whole)", shown, wanted, nearest))

    def keys(self, table: Mapping[str, Any], known: Sequence[str], key: str) -> None:
        """Note unknown keys; a missing one is noted by whoever reads it."""
        for name in table:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                self.fault(
                    f"{key}.{name}".lstrip("."), "an unknown key", f"one of {', '.join(known)}", *close
                )

    def table(self, value: object, key: str) -> Mapping[str, Any]:
        """A JSON object."""
        if isinstance(value, dict):
            return value
        self.fault(key, _shown(value), "a table")
        return {}

    def rows(
        self, value: object, key: str, read: Callable[[Mapping[str, Any], str, Checker], Row]
    ) -> list[Row]:
        """A list of tables with at least one row."""
        if not isinstance(value, list) or not 1 <= len(value) <= MAX_ROWS:
            self.fault(key, _shown(value), f"a list of 1 to {MAX_ROWS} tables")
            return []
        return [read(self.table(row, f"{key}[{i}]"), f"{key}[{i}]", self) for i, row in enumerate(value)]

    def text(self, value: object, key: str) -> str:
        """A text that is not empty."""
        if isinstance(value, str) and value:
            return value
        self.fault(key, _shown(value), "a text")
        return ""

    def text_or_none(self, value: object, key: str) -> str | None:
        """A text, or null."""
        return None if value is None else self.text(value, key)

    def truth(self, value: object, key: str) -> bool:
        """True or false."""
        if isinstance(value, bool):
            return value
        self.fault(key, _shown(value), "true or false")
        return False

    def whole(self, value: object, key: str) -> int:
        """A whole number from 0 on."""
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.fault(key, _shown(value), "a whole number from 0 on")
        return 0

    def sha256(self, value: object, key: str) -> str:
        """64 hexadecimal digits."""
        if isinstance(value, str) and SHA256.fullmatch(value):
            return value
        self.fault(key, _shown(value), "64 hexadecimal digits")
        return ""

    def shape(self, value: object, key: str) -> tuple[int | None, ...]:
        """A list of sizes, null where the axis is free."""
        if isinstance(value, list) and 1 <= len(value) <= MAX_AXES and all(_is_size(size) for size in value):
            return tuple(value)
        self.fault(key, _shown(value), "a list of sizes, null where free")
        return ()


def _is_size(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value)
