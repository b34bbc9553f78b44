"""Where an alias came from and where it may go: forward to any model, back along its promotions.

Enters: the changes of one alias. Leaves: the change that a rollback leads to, what must stay on the shelf
for it, the next change. It does not know files.
"""

from __future__ import annotations

from collections.abc import Sequence

from leafsight.errors import ConflictError
from leafsight.registry.names import SERVING
from leafsight.registry.records import Change, Entry, Kind


def below(latest: Change, history: Sequence[Change], steps: int) -> Change | None:
    """The change so many promotions below ``latest``; None for the built-in model before all of them.

    Args:
        latest: where the alias is.
        history: all its changes.
        steps: 1 or more.

    Raises:
        ConflictError: there are not so many, or the history lacks one on the way.
    """
    known = {change.number: change for change in history}
    here: Change | None = latest
    for _ in range(steps):
        if here is None or here.base is None:
            raise ConflictError(
                f"{latest.alias!r} has no model {steps} step{'s' if steps > 1 else ''} back",
                hint=f"leafsight models history --alias {latest.alias}",
            )
        if here.base and here.base not in known:
            raise ConflictError(
                f"the history of {latest.alias!r} is damaged at change {here.base}",
                hint=f"leafsight models promote ID --alias {latest.alias}",
            )
        here = known[here.base] if here.base else None
    return here


def kept(latest: Change | None, history: Sequence[Change]) -> set[str]:
    """Hashes that must stay: where the alias points, pointed before, and would point after a rollback."""
    if latest is None:
        return set()
    back = {change.hash for change in history if change.number == latest.base}
    return {latest.hash} | ({latest.former} if latest.former else set()) | back


def next_change(
    kind: Kind,
    entry: Entry,
    latest: Change | None,
    history: Sequence[Change],
    *,
    alias: str,
    builtin: Entry | None,
    back_to: Change | None = None,
) -> Change:
    """The change that lets ``alias`` point to ``entry``; when, why and by whom are still to be filled in.

    Args:
        kind: what it is.
        entry: where the alias will point.
        latest: where it is now, if anywhere.
        history: all its changes.
        alias: which one.
        builtin: the built-in model, which ``serving`` means while nothing was promoted.
        back_to: of a rollback, the change it leads to; None for the state before all changes.
    """
    first = builtin if alias == SERVING else None
    if kind == "rollback":
        base = back_to.base if back_to else None
    else:
        base = latest.number if latest else (0 if first else None)
    return Change(
        alias=alias,
        number=history[-1].number + 1 if history else 1,
        kind=kind,
        hash=entry.hash,
        since_ms=0,
        reason="",
        by="",
        former=latest.hash if latest else (first.hash if first else None),
        base=base,
        builtin=entry.builtin,
    )
