"""Run as a program: several processes change one registry at once while one reads; prints what was seen."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from leafsight.bundle import builtin as builtin_module
from leafsight.errors import ConflictError, NotFoundError
from leafsight.registry import open_registry

PROCESSES, ROUNDS = 4, 12


def promote_in_turn(folder: Path, files: list[Path], number: int) -> list[Any]:
    """Add what is there already, promote one after the other, now and then go back."""
    registry = open_registry(folder)
    done = []
    for turn in range(ROUNDS):
        entry = registry.add(files[(turn + number) % len(files)], f"from {number}")
        change = registry.promote(entry.hash, by=str(number))
        done.append(change.to_dict())
        if turn % 5 == 4:
            done.append(registry.rollback(by=str(number)).to_dict())
    return done


def add_and_remove(folder: Path, files: list[Path], number: int) -> list[Any]:
    """One that comes and goes all the time."""
    registry = open_registry(folder)
    done: list[Any] = []
    for _ in range(ROUNDS):
        entry = registry.add(files[0], f"from {number}")
        try:
            done.append(registry.remove(entry.hash))
        except (ConflictError, NotFoundError) as error:
            done.append(error.slug)
    return done


def main(act: str, folder: Path, shipped: Path, files: list[Path]) -> None:
    """Start the others, read as fast as possible until they have ended, print."""
    builtin_module.BUILTIN = shipped
    work = {"promote": promote_in_turn, "remove": add_and_remove}[act]
    children = []
    for number in range(PROCESSES):
        child = os.fork()
        if child == 0:
            try:
                done = work(folder / "model", files, number)
                (folder / f"{number}.json").write_text(json.dumps(done))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        children.append(child)
    reader, seen, looks = open_registry(folder / "model"), set(), 0
    while children:
        gone = os.waitpid(children[0], os.WNOHANG)
        if gone[0]:
            assert gone[1] == 0, "a process failed"
            children.pop(0)
        seen.add(reader.bundle(reader.get("serving")).name)
        seen.update(entry.name for entry in reader.entries())
        reader.aliases()
        numbers = [change.number for change in reader.history(limit=1000)]
        assert numbers == list(range(len(numbers), 0, -1))
        looks += 1
    print(json.dumps({"seen": sorted(seen), "looks": looks}))


if __name__ == "__main__":
    act, folder, shipped, *files = sys.argv[1:]
    main(act, Path(folder), Path(shipped), [Path(file) for file in files])
