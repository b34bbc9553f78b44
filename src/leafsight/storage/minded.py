"""A process that does not outlive who started it, and leaves cores for those who serve.

Enters: a standard input that is a pipe nobody writes to. Leaves: nothing; the process ends when the other
side of the pipe is gone, whatever killed it, and so do the processes of its group. It does not know what the
process does.
"""

from __future__ import annotations

import os
import signal
import threading


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
