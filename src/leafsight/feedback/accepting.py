"""Accepts by rule what nothing speaks against.

Enters: contributions that wait. Leaves: those that are accepted, with ``rule`` as the one who decided. Nobody
is asked, so every finding that blocks is heeded, and the cap of a source is counted once more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leafsight.feedback.naming import ClassNames
from leafsight.feedback.records import ACCEPTED, MOST_PER_SOURCE, RULE, WAITING
from leafsight.feedback.sources import Brought, brought_by

if TYPE_CHECKING:
    from leafsight.state import ContributionRecord, State

AT_ONCE = 200
REASON = "nothing speaks against it"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a rule decided.

    Attributes:
        accepted: how many.
        left: how many of those that were looked at go on waiting.
    """

    accepted: int
    left: int


def accept_clean(
    state: State,
    classes: Sequence[str],
    *,
    upload_id: str | None = None,
    most_per_source: int = MOST_PER_SOURCE,
    since_ms: int = 0,
) -> Accepted:
    """Accept waiting contributions without a finding that blocks, of classes that may be learned.

    Args:
        state: the database.
        classes: of the champion.
        upload_id: only those of this upload; None for all.
        most_per_source: photographs of one class that one source may bring between two trainings.
        since_ms: when the last training began.

    Raises:
        StateBusyError, StateError: the database does not answer; what was accepted stays so.
    """
    names = ClassNames(classes, [one.name for one in state.declared.list()])
    sources: dict[str, Brought] = {}
    fit: list[str] = []
    accepted = left = 0
    for one in _waiting(state, upload_id):
        if not _is_clean(one, names) or not _has_room(
            state, one, sources, set(classes), most_per_source=most_per_source, since_ms=since_ms
        ):
            left += 1
            continue
        fit.append(one.id)
        if len(fit) == AT_ONCE:
            accepted += _accept(state, fit)
            fit = []
    accepted += _accept(state, fit) if fit else 0
    return Accepted(accepted, left)


def _waiting(state: State, upload_id: str | None) -> Iterator[ContributionRecord]:
    """Oldest first, so that of too many the first ones are taken."""
    for one_id in list(state.contributions.ids(state=WAITING, upload_id=upload_id)):
        one = state.contributions.get(one_id)
        if one is not None and one.state == WAITING:
            yield one


def _is_clean(one: ContributionRecord, names: ClassNames) -> bool:
    if any(finding["blocks"] for finding in one.findings) or not one.label.strip():
        return False
    return names.named(one.label).declared


def _has_room(
    state: State,
    one: ContributionRecord,
    sources: dict[str, Brought],
    classes: Collection[str],
    *,
    most_per_source: int,
    since_ms: int,
) -> bool:
    """Whether its source has not brought too many of its class; if so, it is one more."""
    source = one.key_id or one.upload_id or ""
    if source not in sources:
        sources[source] = brought_by(state, one.key_id, one.upload_id, since_ms=since_ms, classes=classes)
    brought = sources[source].accepted
    if brought[one.label] >= most_per_source:
        return False
    brought[one.label] += 1
    return True


def _accept(state: State, ids: Sequence[str]) -> int:
    """What a person decided in the moment before is left alone."""
    found = (state.contributions.get(one) for one in ids)
    still = [one.id for one in found if one is not None and one.state == WAITING]
    return len(state.contributions.decide(still, ACCEPTED, by=RULE, reason=REASON)) if still else 0
