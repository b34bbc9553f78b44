"""What is older than the operator keeps is forgotten, photographs included, while the service runs.

Enters: the database and the store. Leaves: both without what is too old. Corrections, the predictions that
they correct, and uploads stay. Every process does it; doing it twice does no harm.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leafsight.state import Blobs, State

DAY_MS = 86_400_000
EVERY_S = 3600.0
LOG = logging.getLogger("leafsight.service")


def forget_old(state: State, blobs: Blobs, *, now_ms: int, keep_days: int) -> int:
    """Remove predictions that are too old; how many.

    A photograph whose store does not answer just then is a stray, which ``leafsight db prune`` finds.

    Raises:
        StateBusyError, StateError: the database or the store does not answer.
    """
    from leafsight.state import prune

    blobs.check()
    pruned = prune(state, now_ms - keep_days * DAY_MS)
    for name in pruned.blobs:
        blobs.delete(name)
    removed = int(pruned.rows["predictions"])
    if removed:
        LOG.info("old predictions removed", extra={"fields": {"predictions": removed}})
    return removed
