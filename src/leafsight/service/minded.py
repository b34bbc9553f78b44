"""A program that does not outlive who started it: ``python -m leafsight.service.minded check FOLDER``.

Enters: the words of a command. Leaves: what the command does, on half of the cores. Its standard input is a
pipe that nobody writes to; it ends when the other side is gone, whatever killed it, and so do the processes
that the command started.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from importlib import import_module


def mind() -> None:
    """End this process and its group when standard input ends; take half of the cores, at least one."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[len(cores) // 2 :])


def _end_with_input() -> None:
    while os.read(0, 1024):
        pass
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def main() -> None:
    """Run the command line, which stands above this room and is started like any other program."""
    mind()
    import_module("leafsight.cli").main(sys.argv[1:])


if __name__ == "__main__":
    main()
