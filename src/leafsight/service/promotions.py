"""Which model serves: promoted, rolled back, and what was done before.

Enters: wishes of a person. Leaves: changes of the registry, and a watch over what was promoted. Whether a
model held its gate stands in the job that made it; the registry does not know.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from leafsight.errors import ConflictError, LeafsightError
from leafsight.service.parts import Parts
from leafsight.service.retrainings import KIND, report_values

if TYPE_CHECKING:
    from leafsight.registry import Change, Entry
    from leafsight.service.retraining_listings import Promotion, RollbackWish

SERVING = "serving"
OVERRIDDEN = "although its gate did not hold"
PAGE = 200
MADE_BY = re.compile(r"retraining ([0-9a-f]{32}) ")
"""So begins the note of a model that a retraining put on the shelf."""
LOG = logging.getLogger("leafsight.service")


def promote(parts: Parts, name: str, wish: Promotion, by: str) -> dict[str, Any]:
    """Let an alias point to a model.

    Args:
        parts: of the process.
        name: hash, the beginning of one, or an alias.
        wish: of the person.
        by: who that is.

    Raises:
        ConflictError: its gate did not hold, and nobody said that it be promoted all the same.
        LeafsightError: the registry cannot do it.
    """
    entry = parts.registry.get(name)
    reason = wish.reason
    if why := gate_failed(parts, entry):
        if not wish.override:
            raise ConflictError(
                f"the gate of this model did not hold: {why}",
                hint="look at its report; 'override': true promotes it all the same, and that is recorded",
            )
        reason = f"{OVERRIDDEN}: {reason}" if reason else OVERRIDDEN
    before = parts.registry.history(wish.alias, limit=1)
    change = parts.registry.promote(entry.hash, wish.alias, reason, by)
    if not before or before[0].number != change.number:
        _watch(parts, change)
    return plain_change(change)


def roll_back(parts: Parts, wish: RollbackWish, by: str) -> dict[str, Any]:
    """Put a former model back.

    Raises:
        LeafsightError: the registry cannot do it.
    """
    return plain_change(parts.registry.rollback(wish.alias, wish.steps, wish.reason, by, over=wish.over))


def gate_failed(parts: Parts, entry: Entry) -> str:
    """Why the gate of a model did not hold; nothing when it did, or when it never met one.

    Args:
        parts: of the process.
        entry: of the model.
    """
    said = ""
    for gate in _gates(parts, entry):
        if gate.get("passed"):
            return ""
        said = said or str(gate.get("said") or "see its report")
    return said


def plain_change(change: Change) -> dict[str, Any]:
    """A change as it is answered."""
    return {
        "alias": change.alias, "number": change.number, "kind": change.kind, "model": change.hash,
        "former": change.former, "created_at": change.since_ms, "reason": change.reason, "by": change.by,
    }  # fmt: skip


def _gates(parts: Parts, entry: Entry) -> Iterator[dict[str, Any]]:
    """The gates that a model met: of retrainings that ended well, the newest first; then of who shelved it.

    That one may have been cancelled, or may have failed, behind its gate.
    """
    for result in _results(parts):
        if result.get("candidate") == entry.hash:
            yield result.get("gate") or {}
    if (made := MADE_BY.match(entry.note)) is not None:
        report = report_values(parts, made[1])
        if report is not None and report.get("candidate") == entry.hash:
            yield report


def _results(parts: Parts) -> Iterator[dict[str, Any]]:
    """Of all retrainings that ended well, newest first."""
    after = None
    while True:
        page = parts.state.jobs.page(after, PAGE, kind=KIND)
        yield from (dict(one.result) for one in page.records if one.result)
        after = page.next
        if after is None:
            return


def _watch(parts: Parts, change: Change) -> None:
    """What was promoted is watched, and told; that it serves does not hang on either, but is logged."""
    from leafsight.monitoring import alert, begin_watch

    now_ms = parts.now_ms()
    try:
        if change.alias == SERVING:
            begin_watch(
                parts.state, model_hash=change.hash, former=change.former, now_ms=now_ms,
                minutes=parts.options.watch_minutes, change=change.number,
            )  # fmt: skip
        alert(
            parts.state, "promoted", f"{change.alias} points to {change.hash[:12]} now", now_ms=now_ms,
            details=plain_change(change), event=f"{change.alias} {change.number}",
        )  # fmt: skip
    except LeafsightError as error:
        fields = {"alias": change.alias, "change": change.number, "reason": error.message}
        LOG.warning("promoted, and not watched or told", extra={"fields": fields})
