"""The files that the child leaves, read as what a stranger may have written.

Enters: a folder. Leaves: plain values and an array, or an error of ours. It does not know what becomes of
them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float16

from leafsight.errors import StorageError
from leafsight.feedback.examining import EMBEDDINGS, EXAMINED, MOST_CONTRIBUTIONS
from leafsight.storage import os_errors_translated

MAX_LINE_BYTES = 64 * 1024
MAX_EMBEDDINGS_BYTES = 1024**3


def examined_lines(folder: Path) -> Iterator[dict[str, Any]]:
    """What the child said of each photograph.

    Raises:
        StorageError: a line is too long or no JSON, or there are too many.
    """
    path = folder / EXAMINED
    with os_errors_translated(path), path.open("rb") as file:
        for number in range(MOST_CONTRIBUTIONS + 1):
            line = file.readline(MAX_LINE_BYTES + 1)
            if not line:
                return
            try:
                value = json.loads(line)
            except ValueError as error:
                raise StorageError(f"line {number + 1} of what was found cannot be read") from error
            if number == MOST_CONTRIBUTIONS or not isinstance(value, dict):
                break
            yield value
    raise StorageError("what was found of an upload is no list of photographs, or too long")


def examined_embeddings(folder: Path) -> Float16[np.ndarray, "n d"]:
    """What the champion made of each photograph.

    Raises:
        StorageError: it is no array of float16 in rows, or too large.
    """
    path = folder / EMBEDDINGS
    with os_errors_translated(path):
        if path.stat().st_size > MAX_EMBEDDINGS_BYTES:
            raise StorageError("there are too many embeddings")
        try:
            found = np.load(path, allow_pickle=False)
        except ValueError as error:
            raise StorageError(f"the embeddings cannot be read: {error}") from error
    if not isinstance(found, np.ndarray) or found.dtype != np.float16 or found.ndim != 2:
        raise StorageError("the embeddings are not float16 in rows")
    return np.asarray(found)
