"""How much memory the container, or the service manager, lets this process have; and whether it is in one.

Enters: the root of the file system. Leaves: limits, or None where there are none; those of processor time are
``storage.cpu_quota``'s. It does not know what is enough.

https://docs.kernel.org/admin-guide/cgroup-v2.html and
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

NO_LIMIT_BYTES = 2**60
"""Version 1 writes a number near 2^63 where there is no limit."""


def memory_limit_bytes(root: Path = Path("/")) -> int | None:
    """The tightest limit of the group of this process and of those above it; None without one."""
    groups, hierarchy = _groups(root), root / "sys/fs/cgroup"
    found = [_number(folder / "memory.max") for folder in _upwards(hierarchy, groups.get(""))]
    version_1 = _upwards(hierarchy / "memory", groups.get("memory"))
    found.extend(_number(folder / "memory.limit_in_bytes") for folder in version_1)
    return min((one for one in found if one is not None and one < NO_LIMIT_BYTES), default=None)


def in_container(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process runs in a container, as far as it can be told."""
    if "KUBERNETES_SERVICE_HOST" in environment or environment.get("container"):
        return True
    return (root / ".dockerenv").exists() or (root / "run/.containerenv").exists()


def available_bytes(root: Path = Path("/")) -> int | None:
    """Memory that programs may still take on this machine; None where the system does not tell."""
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _groups(root: Path) -> dict[str, str]:
    """Controller -> path of the group of this process; the empty controller is version 2."""
    found = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        found.update(dict.fromkeys(controllers.split(","), path))
    return found


def _upwards(hierarchy: Path, group: str | None) -> Iterator[Path]:
    """The group's folder and all above it; inside a container the upper ones may be all there is."""
    path = PurePosixPath(group or "/")
    for one in (path, *path.parents):
        if ".." not in one.parts:
            yield hierarchy / one.relative_to("/")


def _number(path: Path) -> int | None:
    words = _text(path).split()
    return int(words[0]) if words and words[0].isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
