"""How many cores this process may use: those it is bound to, and no more than its container's CPU quota.

Enters: what the system says, as files below a root. Leaves: a whole number of cores, at least 1. A container
with a quota sees all cores of its machine and may run on each of them, but not for long: the scheduler stops
all its threads for the rest of each period once their time is used up. What is started for each core would
then wait for itself.

The files are those of Linux: ``cpu.max`` of control groups version 2 and ``cpu.cfs_quota_us`` with
``cpu.cfs_period_us`` of version 1 (kernel documentation, ``admin-guide/cgroup-v2`` and
``scheduler/sched-bwc``). A group is bound by the quotas of all groups above it, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from pathlib import Path, PurePosixPath

ROOT = Path("/")
OWN_GROUPS = "proc/self/cgroup"
GROUPS = "sys/fs/cgroup"
UNIFIED = (GROUPS, f"{GROUPS}/unified")
"""Where version 2 is found: alone, or beside version 1."""
NO_QUOTA = ("max", "-1")


def available_cores(*, root: Path = ROOT, bound_to: int | None = None) -> int:
    """Cores this process may use, at least 1; a part of a core counts as one.

    Args:
        root: where ``proc`` and ``sys`` are.
        bound_to: cores that the process may run on; ``None`` asks the system.
    """
    cores = _bound_to() if bound_to is None else bound_to
    quota = cpu_quota(root=root)
    return max(1, cores if quota is None else min(cores, ceil(quota)))


def cpu_quota(*, root: Path = ROOT) -> Fraction | None:
    """Seconds of CPU that this process's groups may take in a second; None without a quota.

    What cannot be read, or says no number, is no quota: it is never a reason not to start.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    found = [quota for folder in _folders(root) if (quota := _quota_of(folder)) is not None]
    return min(found, default=None)


def _bound_to() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _folders(root: Path) -> Iterator[Path]:
    """The folders of the groups that this process is in, of either version, and of those above them."""
    yield from (root / GROUPS, root / GROUPS / "cpu")  # where there is no proc
    for line in _text(root / OWN_GROUPS).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            mounts = UNIFIED
        elif "cpu" in controllers.split(","):
            mounts = (f"{GROUPS}/cpu", f"{GROUPS}/{controllers}")
        else:
            continue
        for mount in mounts:
            yield from _upwards(root / mount, path)


def _upwards(mount: Path, path: str) -> Iterator[Path]:
    """The group's folder and all above it, up to the mount.

    A container often sees only its own group, mounted where the root of all would be, while ``path`` is the
    one from the real root: then the folder of that name is not there, and the mount is the group.
    """
    parts = PurePosixPath(path).parts[1:]
    if ".." not in parts:  # a group outside of what this process may see
        for depth in range(len(parts), 0, -1):
            yield mount.joinpath(*parts[:depth])
    yield mount


def _quota_of(folder: Path) -> Fraction | None:
    words = _text(folder / "cpu.max").split()
    if len(words) == 2:
        return _share(*words)
    return _share(_text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us").strip())


def _share(quota_us: str, period_us: str) -> Fraction | None:
    if quota_us in NO_QUOTA:
        return None
    try:
        share = Fraction(int(quota_us), int(period_us))
    except (ValueError, ZeroDivisionError):
        return None
    return share if share > 0 else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
