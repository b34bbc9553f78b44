"""The weights to start from on their way to machines that do not see their file.

Enters: a file, or the folder of a model. Leaves: its bytes; and the same under the same name, on a disk of
the machine that got them.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from leafsight.storage import os_errors_translated

Packed = tuple[str, dict[str, bytes]]
"""The name of the file or folder, and the files in it by their path; a file alone has the path ''."""


def packed(weights: Path | None) -> Packed | None:
    """A file of weights, or a folder of them, as bytes.

    Raises:
        StorageError: it cannot be read.
    """
    if weights is None:
        return None
    with os_errors_translated(weights):
        if not weights.is_dir():
            return weights.name, {"": weights.read_bytes()}
        files = [file for file in sorted(weights.rglob("*")) if file.is_file()]
        return weights.name, {str(file.relative_to(weights)): file.read_bytes() for file in files}


@contextlib.contextmanager
def unpacked(start: Packed | None) -> Iterator[Path | None]:
    """The weights on this machine while the block runs.

    Raises:
        StorageError: there is no room for them.
    """
    if start is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="leafsight-start-") as folder:
        weights = Path(folder) / start[0]
        with os_errors_translated(weights):
            for name, content in start[1].items():
                file = weights / name if name else weights
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        yield weights
