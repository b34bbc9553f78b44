"""How leafsight's command line is run once more, as a process of its own."""

from __future__ import annotations

import sys


def own_command() -> list[str]:
    """The words that run it; the words of a verb are put after them.

    In the standalone build the program is its own command line (packaging/desktop/entry.py); there is no
    other Python there.
    """
    if getattr(sys, "frozen", False):
        return [sys.executable]
    # -P: a folder called leafsight where the process is started is not the package.
    return [sys.executable, "-P", "-c", "from leafsight.cli import main; main()"]
