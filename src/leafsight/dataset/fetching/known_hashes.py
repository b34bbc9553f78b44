"""Trust on first use: the hashes of files whose owner publishes none, kept from the first download on."""

from __future__ import annotations

from pathlib import Path

from leafsight.errors import StorageError
from leafsight.storage import read_json, write_json

MAX_BYTES = 16 * 1024 * 1024


def remembered(path: Path, key: str) -> tuple[str, str] | None:
    """Hash and day of the first download of ``key``; ``None`` when it is new.

    Raises:
        StorageError: the file is there and cannot be read or is damaged.
    """
    entry = _read(path).get(key)
    if entry is None:
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
        raise StorageError(f"{path} is damaged at {key!r}", hint="remove the file to trust the next download")
    return entry["sha256"], str(entry.get("day", "an unknown day"))


def remember(path: Path, key: str, sha256: str, day: str) -> None:
    """Keep the hash of ``key``, in place of an earlier one."""
    write_json(path, {**_read(path), key: {"sha256": sha256, "day": day}})


def _read(path: Path) -> dict[str, object]:
    if not path.exists():
        return {}
    value = read_json(path, max_bytes=MAX_BYTES)
    if not isinstance(value, dict):
        raise StorageError(f"{path} is damaged", hint="remove the file to trust the next download")
    return value
