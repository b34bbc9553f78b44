"""A clerk that is killed at a chosen moment.

``python dying_clerk.py DATABASE BLOBS REGISTRY MODEL WHERE NTH ACCEPT``
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from leafsight.feedback import keeping
from leafsight.service import ServiceOptions
from leafsight.service.clerk import Clerk
from leafsight.state import open_blobs, open_state


def killed(what: Any, nth: int, *, after: bool) -> Any:
    """The same, but the ``nth`` call is the last thing that this process does."""
    left = [nth]

    def call(*words: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        done = what(*words, **more)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    return call


def main(database: str, blob_url: str, registry: str, model: str, where: str, nth: str, accept: str) -> None:
    """Work one job off, as far as it gets."""
    keeping.AT_ONCE = 4
    options = ServiceOptions(
        registry_dir=Path(registry), database_url=database, blob_url=blob_url, model=Path(model),
        accept=accept,  # type: ignore[arg-type]
    )  # fmt: skip
    with open_state(database) as state:
        blobs = open_blobs(blob_url)
        when = {"after": where.endswith("after")}
        if where.startswith("put"):
            blobs.put = killed(blobs.put, int(nth), **when)  # type: ignore[method-assign]
        elif where.startswith("add"):
            state.contributions.add_many = killed(state.contributions.add_many, int(nth), **when)  # type: ignore[method-assign]
        elif where.startswith("decide"):
            state.contributions.decide = killed(state.contributions.decide, int(nth), **when)  # type: ignore[method-assign]
        elif where.startswith("state"):
            state.uploads.set_state = killed(state.uploads.set_state, int(nth), **when)  # type: ignore[method-assign]
        Clerk(state, blobs, options, lambda: False).work_one()


if __name__ == "__main__":
    main(*sys.argv[1:])
