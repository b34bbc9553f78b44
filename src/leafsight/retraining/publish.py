"""The new model goes onto the shelf, becomes the challenger, and, if the gate held, the champion.

Enters: a candidate, what the gate said. Leaves: one entry and at most one change of each alias, however often
the step is begun again. It does not know how a model is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from leafsight.errors import ConflictError
from leafsight.registry import SERVING
from leafsight.retraining.workplace import CHALLENGER
from leafsight.storage import canonical_json

if TYPE_CHECKING:
    from leafsight.registry import Change, Registry
    from leafsight.retraining.workplace import Workplace

BY = "retraining"
CHANGES_LOOKED_AT = 200
MOST_SAID, MOST_CLASSES = 600, 20
CHANGED = "champion changed"


def publish(
    place: Workplace, frozen: Mapping[str, Any], built: Mapping[str, Any], gate: Mapping[str, Any]
) -> dict[str, Any]:
    """Put the candidate on the shelf, with where it comes from.

    Args:
        place: where the registry is.
        frozen: what ``take_snapshot`` gave.
        built: what ``build`` gave.
        gate: what ``judge`` gave.

    Returns:
        ``entry``: its hash.

    Raises:
        BundleCorruptError: it is not whole.
        DiskFullError, PermissionDeniedError, StorageError, StateBusyError: nothing was added.
    """
    candidate = place.candidate(str(built["candidate"]))
    entry = place.registry.add(candidate.path, note=_note(place, frozen, gate))
    _move(place, entry.hash, CHALLENGER, f"{_mark(place)}: {_short(gate)}")
    return {"entry": entry.hash}


def promote(place: Workplace, built: Mapping[str, Any], gate: Mapping[str, Any]) -> dict[str, Any]:
    """Let the candidate serve, if the gate held against the model that serves, and we may.

    Returns:
        ``promoted``, ``change`` and ``former`` (their number and hash, or None), ``why`` not, and
        ``champion``, which is another than the gate's when ``why`` is ``CHANGED``.

    Raises:
        StateBusyError, StorageError, BundleCorruptError: the alias points where it did.
    """
    candidate, champion = str(built["candidate"]), place.registry.get(SERVING).hash
    said = {"promoted": False, "change": None, "former": None, "why": "", "champion": champion}
    done = _ours(place.registry, SERVING, candidate, _mark(place))
    if done is not None:
        return _promoted(done)
    if not gate["passed"]:
        return {**said, "why": "the gate did not hold"}
    if place.order.promote != "auto":
        return {**said, "why": "a person is asked"}
    if champion == candidate:
        return {**said, "why": "it serves already"}
    if champion != gate["champion"]:
        return {**said, "why": CHANGED}
    reason = f"{_mark(place)}: the gate held; gate {gate['hash'][:12]}; {gate['said']}"
    try:
        return _promoted(_move(place, candidate, SERVING, reason, over=champion))
    except ConflictError:
        now = place.registry.get(SERVING).hash
        if now == champion:
            raise
        return {**said, "why": CHANGED, "champion": now}  # in this very moment


def _promoted(change: Change) -> dict[str, Any]:
    return {
        "promoted": True,
        "change": change.number,
        "former": change.former,
        "why": "",
        "champion": change.hash,
    }


def gate_hash(report: Mapping[str, Any]) -> str:
    """What a promotion names its gate report by: SHA-256 of it as canonical JSON."""
    return sha256(canonical_json(report).encode()).hexdigest()


def _move(place: Workplace, content_hash: str, alias: str, reason: str, *, over: str | None = None) -> Change:
    """Move an alias once: who was killed after it and before writing that down finds its own move."""
    done = _ours(place.registry, alias, content_hash, _mark(place))
    if done is not None:
        return done
    by = place.order.by or BY
    return place.registry.promote(content_hash, alias, reason=reason[:MOST_SAID], by=by, over=over)


def _ours(registry: Registry, alias: str, content_hash: str, mark: str) -> Change | None:
    """The move that this job made; also when a rollback or another promotion came after it."""
    for change in registry.history(alias, CHANGES_LOOKED_AT):
        if (change.kind, change.hash) == ("promote", content_hash) and change.reason.startswith(mark):
            return change
    return None


def _mark(place: Workplace) -> str:
    return f"retraining {place.order.job}"


def _short(gate: Mapping[str, Any]) -> str:
    return f"the gate {'held' if gate['passed'] else 'did not hold'}; {gate['said']}"


def _note(place: Workplace, frozen: Mapping[str, Any], gate: Mapping[str, Any]) -> str:
    added = list(frozen["classes_added"])
    names = ", ".join(added[:MOST_CLASSES]) + (
        f" and {len(added) - MOST_CLASSES} more" if len(added) > MOST_CLASSES else ""
    )
    return "; ".join(
        [
            f"{_mark(place)} by the {'quick' if place.order.path == 'quick' else 'full'} path from"
            f" {frozen['parent'][:12]}",
            f"{frozen['photographs']} accepted photographs, snapshot {frozen['snapshot'][:12]}",
            f"new classes: {names or 'none'}",
            f"{_short(gate)[:MOST_SAID]} (gate {gate['hash'][:12]})",
        ]
    )[:2000]
