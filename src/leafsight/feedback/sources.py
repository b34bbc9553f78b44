"""What one sender brought since the last training.

Enters: the database. Leaves: counts by label, and how many labels were doubted. It does not know the
photographs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leafsight.feedback.records import ACCEPTED, REJECTED

if TYPE_CHECKING:
    from leafsight.state import ContributionRecord, State

MOST_LOOKED_AT = 20_000
AT_ONCE = 200


@dataclass(slots=True)
class Brought:
    """Contributions of one source since a moment; rejected ones and exact copies do not count.

    Attributes:
        waiting_or_accepted: by label.
        accepted: by label.
        known: of classes that the champion knows.
        doubted: how many of those are doubted.
    """

    waiting_or_accepted: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    known: int = 0
    doubted: int = 0


def brought_by(
    state: State,
    key_id: str | None,
    upload_id: str | None,
    *,
    since_ms: int,
    classes: Collection[str],
    without_upload: str | None = None,
) -> Brought:
    """Count what a source brought.

    Args:
        state: the database.
        key_id: the source; without a key, an upload is a source of its own.
        upload_id: of the upload, where there is no key.
        since_ms: the last training.
        classes: that the champion knows.
        without_upload: one that does not count: it is being judged.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    brought = Brought()
    if key_id is None and (upload_id is None or upload_id == without_upload):
        return brought
    for one in _of_source(state, key_id, upload_id, since_ms):
        copied = any(finding["kind"] == "duplicate" for finding in one.findings)
        if one.state == REJECTED or copied or (without_upload and one.upload_id == without_upload):
            continue
        brought.waiting_or_accepted[one.label] += 1
        if one.state == ACCEPTED:
            brought.accepted[one.label] += 1
        if one.label in classes:
            brought.known += 1
            brought.doubted += any(finding["kind"] == "label_doubt" for finding in one.findings)
    return brought


def _of_source(
    state: State, key_id: str | None, upload_id: str | None, since_ms: int
) -> Iterator[ContributionRecord]:
    """Newest first, no further back than the last training."""
    after, seen = None, 0
    which = {"key_id": key_id} if key_id is not None else {"upload_id": upload_id}
    while seen < MOST_LOOKED_AT:
        page = state.contributions.page(after, AT_ONCE, **which)
        for one in page.records:
            if one.created_ms < since_ms:
                return
            yield one
        seen += len(page.records)
        after = page.next
        if after is None:
            return
