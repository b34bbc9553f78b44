"""JSON written by strangers: read under limits, with every way to be wrong turned into one error.

Enters: a file. Leaves: plain values, and names that stay inside a folder. It does not know what they mean.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from leafsight.errors import DatasetError
from leafsight.storage import os_errors_translated


@dataclass(frozen=True, slots=True)
class ListingLimits:
    """What a listing in JSON may hold; the defaults fit COCO's own training set (469 MB, 860,001 boxes).

    Attributes:
        max_json_bytes: the file; Python needs up to ten times as much memory to read it.
        max_line_bytes: one line of a ``.jsonl``.
        max_entries: images, annotations or lines, each.
    """

    max_json_bytes: int = 512 * 1024**2
    max_line_bytes: int = 1024**2
    max_entries: int = 5_000_000


Hook = Callable[[dict[str, Any]], Any]


def read_listing_json(path: Path, limits: ListingLimits, hook: Hook | None = None) -> Any:
    """The value in a JSON file.

    Args:
        path: UTF-8 text.
        limits: what is too large.
        hook: called with every object as soon as it is read, to throw away what is not wanted.

    Raises:
        DatasetError: too large, not UTF-8, not JSON, nested too deeply, or with a number that is none (NaN,
            infinity, thousands of digits).
        StorageError: missing or unreadable.
    """
    with os_errors_translated(path):
        size_bytes = path.stat().st_size
        if size_bytes > limits.max_json_bytes:
            raise DatasetError(
                f"{path} has {size_bytes} bytes; at most {limits.max_json_bytes} are read",
                hint="divide it into several listings",
            )
        data = path.read_bytes()
    return _parsed(data, str(path), hook)


def read_json_lines(path: Path, limits: ListingLimits) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of every line that is not empty.

    Raises:
        DatasetError: a line that is too long or no JSON object, or too many lines.
        StorageError: missing or unreadable.
    """
    with os_errors_translated(path), path.open("rb") as file:
        number = 0
        while line := file.readline(limits.max_line_bytes + 1):
            number += 1
            where = f"{path}, line {number}"
            if len(line) > limits.max_line_bytes:
                raise DatasetError(f"{where} is longer than {limits.max_line_bytes} bytes")
            if number > limits.max_entries:
                raise DatasetError(f"{path} has more than {limits.max_entries} lines")
            if not line.strip():
                continue
            value = _parsed(line, where, None)
            if not isinstance(value, dict):
                raise DatasetError(
                    f"{where} is no JSON object", hint='write {"file_name": ..., "label": ...}'
                )
            yield number, value


def place_inside(root: str, name: object) -> tuple[str, str]:
    """Where a listing says that a photograph is.

    Args:
        root: the folder that names start at.
        name: what stands in the listing; a backslash counts as ``/`` when there is no file of that very name.

    Returns:
        The name with ``/`` between folders, and a complaint: empty when a file is there, inside ``root``.
    """
    if not isinstance(name, str) or not name.strip():
        return "", "no file name"
    if "\\" in name and not os.path.isfile(os.path.join(root, name)):  # noqa: PTH113, PTH118 (never raises)
        name = name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    drive = len(name) > 1 and name[1] == ":"
    if name.startswith("/") or drive or ".." in parts or "\0" in name or not parts:
        return name, f"{name!r} leads outside the folder of the listing"
    plain = "/".join(parts)
    if not os.path.isfile(os.path.join(root, plain)):  # noqa: PTH113, PTH118
        return plain, f"no such file: {plain!r}"
    return plain, ""


def _parsed(data: bytes, where: str, hook: Hook | None) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"), object_hook=hook, parse_constant=_no_number)
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:  # also for what is no UTF-8 and for numbers of thousands of digits
        reason = str(error)
    raise DatasetError(f"{where} is not valid JSON: {reason}", hint="export the listing again")


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")
