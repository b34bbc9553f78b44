"""What judging an upload costs: processor time and memory of the child, for real photographs.

OMP_NUM_THREADS=1 python benchmarks/examine.py data/plantvillage --photographs 1000
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leafsight.bundle import builtin_bundle_path
from leafsight.feedback import Asked, Sent, examining, known_of
from leafsight.feedback.examining import ASKED, KNOWN, write_asked
from leafsight.feedback.known import save_known


def main() -> None:
    """Judge once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="class folders")
    parser.add_argument("--photographs", type=int, default=1000)
    given = parser.parse_args()
    files = sorted(one for one in given.folder.rglob("*") if one.suffix.lower() in (".jpg", ".jpeg", ".png"))
    files = files[:: max(1, len(files) // given.photographs)][: given.photographs]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_asked(Asked(), folder / ASKED)
        save_known(known_of([], None), folder / KNOWN)
        sent = []
        for number, file in enumerate(files):
            shutil.copy(file, folder / str(number))
            sent.append(Sent(file.name + str(number), file.parent.name, folder / str(number)))
        spent: dict[str, float] = {}
        for name in ("look", "judge"):
            setattr(examining, name, timed(name, getattr(examining, name), spent))
        before = processor_s()
        examining.examine(sent, builtin_bundle_path(), folder)
        spent["all"] = processor_s() - before
    print({name: f"{seconds:.1f} s" for name, seconds in spent.items()}, f"{len(files)} photographs")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB at most")


def processor_s() -> float:
    """Processor time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(name: str, what: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    """The same, noting its processor time."""

    def call(*words: Any, **more: Any) -> Any:
        before = processor_s()
        try:
            return what(*words, **more)
        finally:
            spent[name] = processor_s() - before

    return call


if __name__ == "__main__":
    main()
