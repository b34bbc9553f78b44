"""What the standalone program starts with: the window, the command line, or a part of leafsight by name."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from collections.abc import MutableMapping

OPTIONS = frozenset({"--help", "-h", "--version", "--debug"})


def words_of(given: list[str]) -> list[str]:
    """The words for leafsight's command line.

    Photographs alone, as a double click gives them, are for the window. A file that is called like a verb
    is reached by ``./train``.
    """
    from leafsight.cli.entry import VERBS

    return given if given and (given[0] in VERBS or given[0] in OPTIONS) else ["desktop", *given]


def part_of(given: list[str]) -> str | None:
    """Which module ``-m MODULE`` asks for.

    The service starts its own programs as ``sys.executable -m leafsight...``, and here that is this program.
    Only leafsight is run so: the program is no Python for everybody.
    """
    return given[1] if given[:1] == ["-m"] and len(given) > 1 and given[1].startswith("leafsight.") else None


def give_back_library_path(environment: MutableMapping[str, str]) -> None:
    """Take the program's own libraries out of what children inherit.

    The loader has read the path already, and our own children find theirs by themselves. The file manager
    that shows a folder would be run with our libraries instead of its own.
    """
    before = environment.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is not None:
        environment["LD_LIBRARY_PATH"] = before
    elif environment.get("LD_LIBRARY_PATH") == getattr(sys, "_MEIPASS", ""):
        del environment["LD_LIBRARY_PATH"]


def main() -> None:
    """Go where the words say."""
    multiprocessing.freeze_support()  # a child that was spawned goes its own way here
    give_back_library_path(os.environ)
    module = part_of(sys.argv[1:])
    if module is not None:
        del sys.argv[1:3]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    from leafsight.cli import main as command_line

    command_line(words_of(sys.argv[1:]))


if __name__ == "__main__":
    main()
