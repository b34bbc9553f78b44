"""What one sender brought since the last training.

Enters: the database. Leaves: counts by label, and how many labels were doubted. It does not know the
photographs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
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

    def add(self, one: ContributionRecord, classes: Collection[str], times: int = 1) -> None:
        """Count a contribution, if it is one that counts; or take it off again, with -1."""
        if one.state == REJECTED or _has(one, "duplicate"):
            return
        self.waiting_or_accepted[one.label] += times
        if one.state == ACCEPTED:
            self.accepted[one.label] += times
        if one.label in classes:
            self.known += times
            self.doubted += times * _has(one, "label_doubt")

    def less(self, part: Brought) -> Brought:
        """Without what is in a part of it."""
        return Brought(
            self.waiting_or_accepted - part.waiting_or_accepted,
            self.accepted - part.accepted,
            self.known - part.known,
            self.doubted - part.doubted,
        )


def _has(one: ContributionRecord, kind: str) -> bool:
    return any(finding["kind"] == kind for finding in one.findings)


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
        if not (without_upload and one.upload_id == without_upload):
            brought.add(one, classes)
    return brought


class BroughtBefore:
    """What sources brought, for many uploads in a row: each source is read once.

    Args:
        state: the database.
        since_ms: the last training.
        classes: that the champion knows.
    """

    def __init__(self, state: State, *, since_ms: int, classes: Collection[str]) -> None:
        self._state, self._since_ms, self._classes = state, since_ms, classes
        self._of: dict[str, tuple[Brought, dict[str, Brought]]] = {}
        self._read: set[str] = set()

    def without(self, key_id: str | None, upload_id: str | None) -> Brought:
        """As ``brought_by`` for a source, without this upload of it.

        Raises:
            StateBusyError, StateError: the database does not answer.
        """
        if key_id is None:
            return Brought()  # an upload is a source of its own
        whole, by_upload = self._counted(key_id)
        return whole.less(by_upload[upload_id]) if upload_id in by_upload else whole

    def judged(self, before: ContributionRecord, now: ContributionRecord) -> None:
        """One is judged otherwise than when its source was read."""
        if before.key_id is None or before.id not in self._read:
            return
        whole, by_upload = self._counted(before.key_id)
        for brought in (whole, by_upload.get(before.upload_id or "")):
            if brought is not None:
                brought.add(before, self._classes, -1)
                brought.add(now, self._classes)

    def _counted(self, key_id: str) -> tuple[Brought, dict[str, Brought]]:
        if key_id not in self._of:
            whole, by_upload = Brought(), defaultdict[str, Brought](Brought)
            for one in _of_source(self._state, key_id, None, self._since_ms):
                whole.add(one, self._classes)
                self._read.add(one.id)
                if one.upload_id is not None:
                    by_upload[one.upload_id].add(one, self._classes)
            self._of[key_id] = (whole, dict(by_upload))
        return self._of[key_id]


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
