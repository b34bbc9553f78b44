"""Small disks for volumes, so that one can be filled: files with an ext4 on them, mounted as loop devices.

A tmpfs would not do: it forgets what is on it when the last container that uses it ends, and it never waits
for a disk.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

FILLER = ".filler"
INODES, BLOCK = "65536", 4096


class Disk:
    """A small disk.

    Args:
        folder: where its file and its mount point are made.
        name: of it.
        size_bytes: of it.
    """

    def __init__(self, folder: Path, name: str, size_bytes: int) -> None:
        self._file, self.path, self._size = folder / f"{name}.ext4", folder / name, size_bytes

    def make(self, owner: int) -> None:
        """Format and mount it, for the user ``owner``."""
        self.path.mkdir(parents=True, exist_ok=True)
        with self._file.open("wb") as file:
            file.truncate(self._size)
        # -m 0: nothing is kept back for the superuser, so that full is full for everybody. Few inodes: they
        # are written at once, and nothing works behind the measurement.
        still = ["-N", INODES, "-E", "lazy_itable_init=0,lazy_journal_init=0"]
        _run("mkfs.ext4", "-q", "-F", "-m", "0", *still, str(self._file))
        _run("mount", "-o", "loop", str(self._file), str(self.path))
        # lost+found must not be in the folder of a database
        self.data.mkdir()
        os.chown(self.data, owner, owner)
        self.data.chmod(0o700)

    @property
    def data(self) -> Path:
        """What a container gets."""
        return self.path / "data"

    def fill(self) -> int:
        """Let a file grow until nothing fits any more; its size."""
        reached, piece = 0, self._size
        with (self.path / FILLER).open("wb") as file:
            while piece >= BLOCK:
                try:
                    os.posix_fallocate(file.fileno(), reached, piece)
                    reached += piece
                except OSError:
                    piece //= 2
        return reached

    def free_again(self) -> None:
        """Take that file away."""
        (self.path / FILLER).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """What fits still."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def remove(self) -> None:
        """Unmount it and take its file away."""
        if os.path.ismount(self.path):
            subprocess.run(["umount", str(self.path)], capture_output=True, timeout=60)
        if os.path.ismount(self.path):
            subprocess.run(["umount", "--lazy", str(self.path)], capture_output=True, timeout=60)
        self._file.unlink(missing_ok=True)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=120)
