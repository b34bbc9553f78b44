"""A command that does not outlive who started it: ``python -m leafsight.service.minded check FOLDER``.

Enters: the words of a command. Leaves: what the command does, on half of the cores; see ``storage.mind``.
"""

from __future__ import annotations

import sys
from importlib import import_module

from leafsight.storage import mind

__all__ = ["main", "mind"]


def main() -> None:
    """Run the command line, which stands above this room and is started like any other program."""
    mind()
    import_module("leafsight.cli").main(sys.argv[1:])


if __name__ == "__main__":
    main()
