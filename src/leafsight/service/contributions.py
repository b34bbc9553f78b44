"""What people taught and what becomes of it: contributions as they are answered, and decisions on them.

Enters: records of room ``state``, the classes that the model in service knows, and wishes. Leaves: plain
values as the contract has them, and changed records. What is found out about a photograph, ``feedback``
knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from leafsight.errors import NotFoundError
from leafsight.service.access import Caller
from leafsight.service.newly_accepted import TRAINED, accepted, since
from leafsight.service.pages import cursor_of
from leafsight.service.parts import Parts
from leafsight.taxonomy import find_class

if TYPE_CHECKING:
    from leafsight.feedback import ClassNames
    from leafsight.service.contribution_listings import Decision
    from leafsight.state import ContributionRecord

AT_ONCE = 200
"""In one transaction: whoever records predictions meanwhile waits no longer than for these."""
MOST_SKIPPED = MOST_LABELS = 1000
UNKNOWN = "the model does not know {label!r}, and nobody declared it"
LOCKED = "it is a photograph of the locked test, from which nothing may be learned"
NEW_CLASS = "new_class"
GONE = "there is no contribution with this id"


class Classes:
    """The classes that may be learned: those of the model in service, and those that were declared.

    Args:
        parts: of the process.
    """

    def __init__(self, parts: Parts) -> None:
        self._labels = parts.model.now.predictor.bundle.labels
        self.declared = [one.name for one in parts.state.declared.list()]

    @cached_property
    def names(self) -> ClassNames:
        """Finds the class that a spelling means."""
        from leafsight.feedback import ClassNames

        return ClassNames([label.class_name for label in self._labels], self.declared)

    @cached_property
    def known(self) -> dict[str, str]:
        """Class name -> as people read it, of those that the model knows."""
        return {label.class_name: label.display for label in self._labels}

    def display(self, label: str) -> str:
        """A class as people read it."""
        return self.known.get(label) or (find_class(label).display if label.strip() else "")


def contributions_page(
    parts: Parts, caller: Caller, after: str | None, limit: int, wanted: dict[str, str | None]
) -> dict[str, Any]:
    """A page of the contributions that the caller may see.

    Args:
        parts: of the process.
        caller: sees their own, or all with the scope admin.
        after: id of the last one of the page before.
        limit: of a page.
        wanted: ``state``, ``upload``, ``label``, ``finding``; ``None`` for any.
    """
    classes = Classes(parts)
    label = wanted["label"]
    page = parts.state.contributions.page(
        after, limit, state=wanted["state"], upload_id=wanted["upload"], finding=wanted["finding"],
        label=classes.names.named(label).label if label else None, key_id=own_only(caller),
    )  # fmt: skip
    shown = [plain_contribution(parts, classes, one) for one in page.records]
    return {"contributions": shown, "next": cursor_of(page.next)}


def contribution_of(parts: Parts, caller: Caller, id: str) -> ContributionRecord:  # noqa: A002
    """A contribution, if the caller may see it.

    Raises:
        NotFoundError: there is none of this id, or it is another's.
    """
    found = parts.state.contributions.get(id)
    own = own_only(caller)
    if found is None or (own is not None and found.key_id != own):
        raise NotFoundError(
            f"there is no contribution {id}", hint="ids stand in the answers of /v1/contributions"
        )
    return found


def own_only(caller: Caller) -> str | None:
    """The key whose contributions alone are shown; ``None`` shows all."""
    return None if caller.key is None or "admin" in caller.key.scopes else caller.key.id


def plain_contribution(parts: Parts, classes: Classes, one: ContributionRecord) -> dict[str, Any]:
    """A contribution as it is answered."""
    quality = {name: value for name, value in one.quality.items() if name != "said"}
    return {
        "id": one.id, "created_at": one.created_ms, "upload": one.upload_id, "name": one.name,
        "class_name": one.class_name, "label": one.label, "display": classes.display(one.label),
        "state": one.state, "findings": [dict(finding) for finding in one.findings], "quality": quality,
        "group": one.group_id, "said": _said(parts, one), "decided_at": one.decided_ms,
        "decided_by": one.decided_by, "reason": one.reason,
        "photograph": f"/v1/contributions/{one.id}/photograph",
    }  # fmt: skip


def _said(parts: Parts, one: ContributionRecord) -> dict[str, Any] | None:
    """What the model said of it: when it looked into the upload, or when it was asked for a diagnosis."""
    said = one.quality.get("said")
    if said is None and one.prediction_id is not None:
        prediction = parts.state.predictions.get(one.prediction_id)
        if prediction is not None:
            said = {**prediction.answer, "class_key": prediction.class_key}
    if said is None:
        return None
    return {name: said.get(name) for name in ("verdict", "class_key", "display", "probability")}


def summary(parts: Parts, caller: Caller) -> dict[str, Any]:
    """How many contributions there are that the caller may see, by state and class."""
    counts, classes = parts.state.contributions.counts(key_id=own_only(caller)), Classes(parts)
    labels = [
        {
            "label": label, "display": classes.display(label), "known": label in classes.known,
            "declared": label in classes.declared,
            **{state: states.get(state, 0) for state in ("waiting", "accepted", "rejected")},
        }
        for label, states in counts["labels"].items()
    ]  # fmt: skip
    labels.sort(key=lambda one: (-one["waiting"] - one["accepted"] - one["rejected"], one["label"]))
    return {
        "states": {state: counts["states"].get(state, 0) for state in ("waiting", "accepted", "rejected")},
        "labels": labels[:MOST_LABELS],
        "doubtful": counts.get("doubtful", 0),
        "new_since_training": since(parts.state.marks.get(TRAINED), accepted(parts.state)),
    }


class Deciding:
    """Decides on contributions as a person wished, some at a time.

    Args:
        parts: of the process.
        wish: of the person.
        by: who that is.

    Attributes:
        changed: how many are decided so far.
        skipped: those that stay as they are, each with the reason; at most ``MOST_SKIPPED``.
    """

    def __init__(self, parts: Parts, wish: Decision, by: str) -> None:
        self._state, self._wish, self._by = parts.state, wish, by
        self._classes = Classes(parts)
        self._relabel = None
        if wish.label is not None:
            self._relabel = self._classes.names.named(wish.label).label
        self.changed = 0
        self.skipped: list[dict[str, str]] = []

    def run(self) -> None:
        """Decide on all that the wish is about; what is done when something fails stays done.

        Raises:
            StateBusyError, StateError: the database does not answer.
        """
        wanted = self._wanted()
        for at in range(0, len(wanted), AT_ONCE):
            self._decide(wanted[at : at + AT_ONCE])

    def _wanted(self) -> list[str]:
        """Ids of all that the wish is about."""
        contributions, wish = self._state.contributions, self._wish
        if wish.ids is not None:
            return list(dict.fromkeys(wish.ids))
        if wish.upload is not None:
            return list(contributions.ids(upload_id=wish.upload))
        found: list[str] = []
        after = None
        while True:
            page = contributions.page(after, AT_ONCE, state="waiting", label=self._relabel)
            found += [one.id for one in page.records if self._is_clean(one)]
            after = page.next
            if after is None:
                return found

    def _decide(self, ids: Sequence[str]) -> None:
        fit = []
        for id in ids:  # noqa: A001
            one = self._state.contributions.get(id)
            why = GONE if one is None else self._why_not(one)
            if not why:
                fit.append(id)
            elif len(self.skipped) < MOST_SKIPPED:
                self.skipped.append({"id": id, "why": why})
        if fit:
            label = None if self._wish.all else self._relabel
            said = {"by": self._by, "reason": self._wish.reason}
            self.changed += len(self._state.contributions.decide(fit, self._wish.state, label=label, **said))

    def _why_not(self, one: ContributionRecord) -> str:
        """Why a contribution cannot be accepted; nothing when it can, or when that is not wished."""
        from leafsight.feedback import REFUSED

        if self._wish.state != "accepted":
            return ""
        if any(finding["kind"] == REFUSED for finding in one.findings):
            return LOCKED
        label = self._relabel or one.label
        return "" if self._may_be_learned(label) else UNKNOWN.format(label=label)

    def _may_be_learned(self, label: str) -> bool:
        return bool(label.strip()) and self._classes.names.named(label).declared

    def _is_clean(self, one: ContributionRecord) -> bool:
        # That a class was new when its photographs came says nothing once it is declared.
        doubts = (one_of["kind"] for one_of in one.findings if one_of["blocks"])
        return self._may_be_learned(one.label) and all(kind == NEW_CLASS for kind in doubts)
