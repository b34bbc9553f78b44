"""Run as a program: a server that pulls is killed (-9) before its first, second, ... step on disk.

After each kill a new process looks, first with the bucket gone, then with the bucket there; one JSON line a
kill. As in ``killed_at`` a process that forks must have one thread.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from tests.fakes.objects import MemoryObjects
from tests.registry.killed_at import killed

from leafsight.bundle import builtin as builtin_module
from leafsight.registry import open_registry


def main(folder: Path, shipped: Path, first: Path, second: Path) -> None:
    """The server serves the first model; the second one is promoted; the server is killed while it pulls."""
    builtin_module.BUILTIN = shipped
    objects = MemoryObjects()
    office = open_registry(folder / "office", mirror=objects)
    office.promote(office.add(first).hash)
    open_registry(folder / "server", mirror=objects).near.watch_token()
    office.promote(office.add(second).hash)
    for step in range(1000):
        copy = folder / f"step {step}"
        shutil.copytree(folder / "server", copy)

        def act(copy: Path = copy) -> None:
            open_registry(copy, mirror=objects).near.watch_token()

        if not killed(act, step, copy):
            print(json.dumps({"steps": step}))
            return
        objects.gone()
        alone = open_registry(copy, mirror=objects).near
        alone.watch_token()
        found = alone.bundle(alone.get("serving")).name
        objects.back()
        again = open_registry(copy, mirror=objects).near
        again.watch_token()
        parts = [path.name for path in copy.rglob(".*.part")]
        after = again.bundle(again.get("serving")).name
        print(json.dumps({"alone": found, "again": after, "parts": parts}))


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
