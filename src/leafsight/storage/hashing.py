"""The hash that names a file's content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from leafsight.storage.atomic import os_errors_translated


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex.

    Raises:
        StorageError, PermissionDeniedError: the file cannot be read.
    """
    with os_errors_translated(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
