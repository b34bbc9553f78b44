"""What the standalone program starts with: the window, or the command line where the first word is a verb."""

from __future__ import annotations

import multiprocessing
import sys

from leafsight.cli import main
from leafsight.cli.entry import VERBS


def words_of(given: list[str]) -> list[str]:
    """The words for leafsight's command line.

    Photographs alone, as a double click gives them, are for the window. A file that is called like a verb
    is reached by ``./train``.
    """
    if given and (given[0] in VERBS or given[0] in {"--help", "-h", "--version", "--debug"}):
        return given
    return ["desktop", *given]


if __name__ == "__main__":
    multiprocessing.freeze_support()  # a child that was spawned goes its own way here
    main(words_of(sys.argv[1:]))
