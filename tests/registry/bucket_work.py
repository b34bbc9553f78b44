"""Run as a program: promotes and rolls back in a bucket, again and again, as one of several operators.

It prints what it was told happened, one change a line, as soon as it was told; so that it may be killed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from leafsight.bundle import builtin as builtin_module
from leafsight.errors import ConflictError
from leafsight.registry import open_registry
from leafsight.state import open_objects


def main(url: str, folder: str, shipped: str, who: str, rounds: str, *hashes: str) -> None:
    builtin_module.BUILTIN = Path(shipped)
    registry = open_registry(Path(folder), mirror=open_objects(url))
    for turn in range(int(rounds)):
        change = registry.promote(hashes[(turn + int(who)) % len(hashes)], by=who)
        print(json.dumps(change.to_dict()), flush=True)
        if turn % 5 == 4:
            try:
                print(json.dumps(registry.rollback(by=who).to_dict()), flush=True)
            except ConflictError:
                continue


if __name__ == "__main__":
    main(*sys.argv[1:])
