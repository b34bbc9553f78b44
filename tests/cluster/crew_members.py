"""Workers of a crew that do what the tests of it need, in processes of the cluster."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from leafsight.errors import BundleError


class Doubler:
    """Doubles numbers; a word is something that befalls it.

    Args:
        folder: where it notes what it was asked, one file a word.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def begin(self, greeting: object) -> tuple[str, object]:
        return "here", greeting

    def do(self, task: int | str) -> int | str:
        if isinstance(task, int):
            return 2 * task
        what, _, name = task.partition(" ")
        times = self._count(name)
        if what == "kill" or (what == "kill-once" and times == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "sleep-once" and times == 1:
            time.sleep(600)
        if what == "nap":
            time.sleep(2)
        if what == "raise":
            raise BundleError(f"no model {name}", hint="look for it")
        return task

    def _count(self, name: str) -> int:
        with (self._folder / name).open("a") as file:
            file.write("asked\n")
        return len((self._folder / name).read_text().splitlines())
