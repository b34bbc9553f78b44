"""Whether memory, processors and open files are enough for the processes that would serve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from leafsight.doctor.containers import available_bytes, memory_limit_bytes
from leafsight.doctor.findings import Finding, counted
from leafsight.storage import available_cores, bytes_in_words, cpu_quota

MIB = 1024**2
PROCESS_BYTES = 159 * MIB
"""The largest process of a service under load (docs/service.md, "300 MB a worker")."""
LEAST_FILES = 1024
"""Connections, pictures and libraries of one process."""


def check_memory(workers: int, root: Path = Path("/")) -> Iterator[Finding]:
    """Memory and processors against what the processes of a service want.

    Args:
        workers: processes.
        root: of the file system in which the limits are read.
    """
    yield _memory(workers, memory_limit_bytes(root), available_bytes(root))
    quota, cores = cpu_quota(root=root), available_cores(root=root)
    share = cores if quota is None else min(float(quota), cores)
    said = f"{share:g} {'processor' if share == 1 else 'processors'} for {counted(workers, 'worker')}"
    if workers > cores:
        todo = f"serve with --workers {cores}, or give more processors: more workers only wait"
        yield Finding("memory.processors", "warn", said, todo)
    else:
        yield Finding("memory.processors", "ok", said)


def _memory(workers: int, limit: int | None, available: int | None) -> Finding:
    name, wanted = "memory.room", workers * PROCESS_BYTES
    told = f"{counted(workers, 'worker')} may take {bytes_in_words(wanted)}"
    if limit is None and available is None:
        return Finding(name, "skipped", f"this system does not tell how much memory there is; {told}")
    has = limit if limit is not None else available or 0
    what = "the limit of the container" if limit is not None else "what is free"
    said = f"{what} is {bytes_in_words(has)}; {told}"
    if has < PROCESS_BYTES:
        return Finding(name, "fail", said, f"give it {bytes_in_words(wanted)} or more")
    if has < wanted:
        todo = f"serve with --workers {max(1, has // PROCESS_BYTES)}, or give more memory"
        return Finding(name, "warn", said, todo)
    return Finding(name, "ok", said)


def check_open_files(limit: int | None = None) -> Iterator[Finding]:
    """How many files one process may have open.

    Args:
        limit: looked up where not given.
    """
    name = "limits.open_files"
    if limit is None:
        try:
            import resource
        except ImportError:  # Windows has no such limit
            yield Finding(name, "skipped", "this system has no such limit")
            return
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if limit == resource.RLIM_INFINITY:
            yield Finding(name, "ok", "a process may open any number of files")
            return
    said = f"a process may open {limit:,} files and connections"
    if limit < LEAST_FILES:
        yield Finding(name, "warn", said, f"raise it: ulimit -n {LEAST_FILES}, or LimitNOFILE of systemd")
    else:
        yield Finding(name, "ok", said)
