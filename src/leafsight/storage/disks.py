"""What lies under a path: the nearest folder that is there, and the kind of its file system.

Enters: a path, and the table of mounts as Linux tells it. Leaves: plain values. It writes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "ocfs2",
        "gfs2",
        "beegfs",
    }
)
"""File systems on which SQLite's locks or its write-ahead log do not hold (https://www.sqlite.org/wal.html)."""
NETWORK_FUSE = (
    "fuse.sshfs",
    "fuse.s3fs",
    "fuse.glusterfs",
    "fuse.ceph",
    "fuse.rclone",
    "fuse.gcsfuse",
    "fuse.juicefs",
)


def is_there(path: Path) -> bool:
    """Whether there is something that we may look at; ``Path.exists`` raises where we may not."""
    try:
        return path.exists()
    except OSError:
        return False


def nearest_there(path: Path) -> Path:
    """``path`` itself, or the nearest folder above it that is there."""
    return next((one for one in (path, *path.parents) if is_there(one)), Path(path.anchor or "."))


def may_be_made(path: Path) -> bool:
    """Whether ``path``, which is not there, could be made; nothing is tried."""
    there = nearest_there(path)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def kind_of_disk(path: Path, mounts: Path = MOUNTS) -> str:
    """The kind of file system under ``path``, such as ``ext4``; empty where the system does not tell.

    Args:
        path: any; the nearest folder that is there counts.
        mounts: the table, https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html.
    """
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    real = nearest_there(path.absolute()).resolve()
    best, kind = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        cells = left.split()
        if len(cells) < 5 or not right:
            continue
        point = Path(_unescaped(cells[4]))
        if (real == point or point in real.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), right.split()[0]
    return kind


def is_network(kind: str) -> bool:
    """Whether a file system of this kind is shared by a network."""
    return kind in NETWORK or kind.startswith(NETWORK_FUSE)


def _unescaped(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
