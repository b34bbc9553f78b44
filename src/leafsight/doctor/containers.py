"""What the container, or the service manager, lets this process have: control groups of Linux, both versions.

Enters: the root of the file system. Leaves: limits, or None where there are none. It does not know what is
enough.

https://docs.kernel.org/admin-guide/cgroup-v2.html and
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

NO_LIMIT_BYTES = 2**60
"""Version 1 writes a number near 2^63 where there is no limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What this process may have.

    Attributes:
        memory_bytes: or None.
        processors: of one second, how many seconds of a processor; or None.
    """

    memory_bytes: int | None
    processors: float | None


def limits_here(root: Path = Path("/")) -> Limits:
    """The tightest limits of the group of this process and of those above it."""
    groups, hierarchy = _groups(root), root / "sys/fs/cgroup"
    memory, processors = [], []
    for folder in _upwards(hierarchy, groups.get("")):  # version 2
        memory.append(_number(folder / "memory.max"))
        processors.append(_quota(_words(folder / "cpu.max")))
    version_1 = _upwards(hierarchy / "memory", groups.get("memory"))
    memory.extend(_number(folder / "memory.limit_in_bytes") for folder in version_1)
    for name in ("cpu", "cpu,cpuacct"):
        for folder in _upwards(hierarchy / name, groups.get("cpu")):
            words = [*_words(folder / "cpu.cfs_quota_us"), *_words(folder / "cpu.cfs_period_us")]
            processors.append(_quota(words))
    bytes_ = [one for one in memory if one is not None and one < NO_LIMIT_BYTES]
    shares = [one for one in processors if one is not None]
    return Limits(min(bytes_, default=None), min(shares, default=None))


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
    words = _words(path)
    return int(words[0]) if words and words[0].isdigit() else None


def _quota(words: list[str]) -> float | None:
    """Quota and period in microseconds as processors; ``max`` and ``-1`` are no limit."""
    if len(words) != 2 or not all(word.isdigit() for word in words) or not int(words[1]):
        return None
    return int(words[0]) / int(words[1])


def _words(path: Path) -> list[str]:
    return _text(path).split()


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
