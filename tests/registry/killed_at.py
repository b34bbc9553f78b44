"""Run as a program: the same change again and again, killed (-9) before its first, second, ... step on disk.

A step is anything that changes the folder: a file opened for writing, a rename, a removal, a new folder, and
every fsync. After each kill the folder is judged as the next process would find it; one JSON line a kill.

A process that forks must have one thread: that is why this is a program and not a function of the tests.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leafsight.bundle import builtin as builtin_module
from leafsight.registry import Registry, open_registry

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND
CHANGES = {"os.rename", "os.remove", "os.mkdir"}
ACTS: dict[str, Callable[[Registry, Path, str], Any]] = {
    "add": lambda registry, file, _: registry.add(file, "new"),
    "promote": lambda registry, _, other: registry.promote(other, reason="new"),
    "first": lambda registry, _, other: registry.promote(other, "canary"),
    "rollback": lambda registry, _, __: registry.rollback(reason="new"),
    "remove": lambda registry, _, other: registry.remove(other),
}


def die_before(step: int, folder: Path) -> None:
    """Let this process kill itself before the step of that number, counted from 0."""
    left = [step]
    sync = os.fsync

    def count() -> None:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    def watch(event: str, words: tuple[Any, ...]) -> None:
        opened = event == "open" and isinstance(words[2], int) and words[2] & WRITING
        if (opened or event in CHANGES) and str(folder) in str(words[0]):
            count()

    def counted_sync(handle: int) -> None:
        count()
        sync(handle)

    os.fsync = counted_sync
    sys.addaudithook(watch)


def killed(act: Callable[[], Any], step: int, folder: Path) -> bool:
    """Whether a child was killed at that step; False when it came to its end before."""
    child = os.fork()
    if child == 0:
        try:
            die_before(step, folder)
            act()
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, f"the change failed at step {step}"
    return False


def judged(folder: Path, file: Path, other: str, act: str) -> dict[str, Any]:
    """What the next processes find: first one that only reads, then one that opens, then one that goes on."""
    reader = Registry(folder, lambda: 1, 2**30, 1.0)
    read = {
        "serving": reader.get("serving").name,
        "names": sorted(entry.name for entry in reader.entries()),
        "numbers": [change.number for change in reader.history()],
    }
    registry = open_registry(folder, now=lambda: 7000)
    lines = (folder / "history" / "serving.jsonl").read_text().splitlines()
    opened = {
        "serving": registry.get("serving").name,
        "names": sorted(entry.name for entry in registry.entries()),
        "numbers": [change.number for change in registry.history()],
        "lines": len(lines),
        "damages": [damage.message for damage in registry.verify()],
        "parts": [path.name for path in folder.rglob(".*") if path.name != ".lock"]
        + [path.name for path in folder.rglob("*.removed")],
    }
    ACTS[act](registry, file, other) if act != "remove" or other in {
        e.hash for e in registry.entries()
    } else None
    again = {
        "serving": registry.get("serving").name,
        "names": sorted(entry.name for entry in registry.entries()),
        "numbers": [change.number for change in registry.history()],
        "damages": [damage.message for damage in registry.verify()],
    }
    return {"read": read, "opened": opened, "again": again}


def main(act: str, folder: Path, shipped: Path, first: Path, second: Path, third: Path) -> None:
    """Two models on the shelf, both promoted in turn; a third that only ``add`` and ``promote`` bring in."""
    builtin_module.BUILTIN = shipped
    model = folder / "model"
    registry = open_registry(model, now=lambda: 5000)
    for file in (first, second):
        registry.promote(registry.add(file).hash)
    other = registry.add(third).hash
    if act == "add":
        registry.remove(other)
    for step in range(1000):
        copy = folder / f"step {step}"
        shutil.copytree(model, copy)
        change = lambda copy=copy: ACTS[act](open_registry(copy, now=lambda: 6000), third, other)  # noqa: E731
        if not killed(change, step, copy):
            print(json.dumps({"steps": step}))
            return
        print(json.dumps(judged(copy, third, other, act)))


if __name__ == "__main__":
    main(sys.argv[1], *(Path(word) for word in sys.argv[2:]))
