"""The way in: a folder becomes a registry.

Enters: a path, which need not exist. Leaves: a ``Registry``, with what a killed process left put right. It
does not know which folder is the right one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from leafsight.errors import StorageError
from leafsight.registry.changing import MOST_BUNDLE_BYTES, Registry
from leafsight.registry.mirrored import MirroredRegistry
from leafsight.registry.objects import Objects
from leafsight.storage import os_errors_translated

LOCK_TIMEOUT_S = 10.0


def now_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def open_registry(
    folder: Path,
    *,
    mirror: Objects | None = None,
    now: Callable[[], int] = now_ms,
    max_bundle_bytes: int = MOST_BUNDLE_BYTES,
    lock_timeout_s: float = LOCK_TIMEOUT_S,
    tidy: bool = True,
) -> Registry:
    """The registry in ``folder``, or in a bucket; what a killed process left is put right if we may write.

    Nothing is written when the folder does not exist: the first ``add`` or ``promote`` makes it. Nothing is
    asked of a bucket: the first question does that.

    Args:
        folder: of the registry.
        mirror: a bucket that is the registry instead; then the folder holds copies of what lies there, in
            a folder of its own, and ``near`` is what a server reads.
        now: milliseconds UTC.
        max_bundle_bytes: a larger bundle is refused.
        lock_timeout_s: how long a change waits for another process.
        tidy: put right what a killed process left; without, opening changes nothing.

    Raises:
        StorageError: there is something else at ``folder``.
    """
    with os_errors_translated(folder):
        there = folder.exists()
        if there and not folder.is_dir():
            raise StorageError(f"{folder} is not a folder", hint="name the folder of a registry")
    registry: Registry
    if mirror is None:
        registry = Registry(folder, now, max_bundle_bytes, lock_timeout_s)
    else:
        registry = MirroredRegistry(folder, mirror, now, max_bundle_bytes, lock_timeout_s)
    if there and tidy:
        registry.tidy()
    return registry
