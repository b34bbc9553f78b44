"""JSON in one spelling: sorted keys, no NaN, so that equal values give equal bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leafsight.errors import StorageError
from leafsight.storage.atomic import os_errors_translated, write_text

MAX_JSON_BYTES = 256 * 1024 * 1024


def canonical_json(value: Any, *, indent: int | None = None) -> str:
    """``value`` as JSON with sorted keys.

    Raises:
        ValueError: the value holds a NaN or an infinity, which JSON cannot say.
    """
    separators = (",", ":") if indent is None else None
    return json.dumps(
        value, sort_keys=True, indent=indent, allow_nan=False, ensure_ascii=False, separators=separators
    )


def read_json(path: Path, *, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """The value in a JSON file.

    Raises:
        StorageError: missing, unreadable, over ``max_bytes`` or not JSON.
    """
    with os_errors_translated(path):
        if path.stat().st_size > max_bytes:
            raise StorageError(f"{path} is larger than {max_bytes} bytes")
        text = path.read_text(encoding="utf-8", errors="replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers of thousands of digits, and deep nesting
        raise StorageError(f"{path} is not valid JSON: {error}") from error


def write_json(path: Path, value: Any) -> None:
    """Put ``value`` at ``path`` as readable JSON with sorted keys; NaN is refused with ``ValueError``."""
    write_text(path, canonical_json(value, indent=2) + "\n")


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes`` laid over it, table within table; a list is replaced as a whole."""
    result = dict(base)
    for key, value in changes.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result
