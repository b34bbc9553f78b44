"""One packed cache for each machine: read once from storage that all share, then from its own disk.

Enters: a folder on shared storage. Leaves: that folder where it lies on a disk of this machine, else a copy.
Training reads photographs in random order, which a network's file system serves one by one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from leafsight.errors import ClusterError, ConflictError
from leafsight.storage import holding, is_network, kind_of_disk, os_errors_translated

COPIES = "leafsight-caches"
WAIT_S = 0.5
SPARE = 1.1
"""A copy is made where there is room for this many times its size."""


def is_far(folder: Path) -> bool:
    """Whether a folder lies on storage that a network shares."""
    return is_network(kind_of_disk(folder))


def near_copy(
    folder: Path,
    *,
    limit_s: float,
    far: Callable[[Path], bool] = is_far,
    here: Path | None = None,
) -> Path:
    """``folder``, or a copy of it on this machine that its processes share.

    Args:
        folder: with files only.
        limit_s: how long another process of this machine may take to copy.
        far: whether a copy is worth it.
        here: where copies are kept; the system's folder for temporary files unless given.

    Returns:
        The folder to read from. Without room for a copy that is ``folder``.

    Raises:
        ClusterError: another process holds the copy and does not come to an end.
        StorageError: a file cannot be read or written.
    """
    if not far(folder):
        return folder
    with os_errors_translated(folder):
        files = sorted((file, file.stat()) for file in folder.iterdir() if file.is_file())
    need_bytes = sum(state.st_size for _, state in files)
    base = (here or Path(tempfile.gettempdir())) / f"{COPIES}-{os.getuid()}"
    with os_errors_translated(base):
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = "\n".join(f"{file} {state.st_size} {state.st_mtime_ns}" for file, state in files)
        copy = base / hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        if copy.is_dir():
            return copy
        if shutil.disk_usage(base).free < need_bytes * SPARE:
            return folder
        _copy_once([file for file, _ in files], copy, time.monotonic() + limit_s)
    return copy


def _copy_once(files: list[Path], copy: Path, end_s: float) -> None:
    """The first process that gets the lock copies; the others find the copy when they get it."""
    with copy.with_suffix(".lock").open("ab") as lock:
        while True:
            try:
                with holding(lock.fileno(), ConflictError("another process copies")):
                    if not copy.is_dir():
                        _copy_all(files, copy)
                    return
            except ConflictError:
                if time.monotonic() > end_s:
                    raise ClusterError(
                        f"another process of this machine does not finish its copy {copy}",
                        hint="is the shared storage alive? end the process, and run the same command again",
                    ) from None
                time.sleep(WAIT_S)


def _copy_all(files: list[Path], copy: Path) -> None:
    with tempfile.TemporaryDirectory(dir=copy.parent, prefix="partial-") as partial:
        for file in files:
            shutil.copyfile(file, Path(partial) / file.name)
        Path(partial).rename(copy)
        Path(partial).mkdir()  # for the context's own removal


def forget(copy: Path, folder: Path) -> None:
    """Remove a copy that ``near_copy`` made of ``folder``; who reads it still may go on."""
    if copy != folder:
        shutil.rmtree(copy, ignore_errors=True)
