"""The steps of a retraining, each of which may be begun again after a kill at any moment.

Enters: the workplace, and what the steps before gave, in plain values. Leaves: plain values, and files that
are whole. It does not know that a workflow calls it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from leafsight.bundle import open_bundle
from leafsight.errors import ConflictError, NotFoundError, TrainingError, validated
from leafsight.registry import SERVING
from leafsight.retraining.embedding import see
from leafsight.retraining.publish import gate_hash
from leafsight.retraining.workplace import GATE, GATE_PAGE, SNAPSHOT, SUMMARY

if TYPE_CHECKING:
    from leafsight.bundle import Bundle, Memory
    from leafsight.retraining.snapshot import Snapshot
    from leafsight.retraining.workplace import Workplace

MOST_CHECKS = 60


def take_snapshot(place: Workplace) -> dict[str, Any]:
    """Freeze what is learned from: the model that serves, and what is accepted now.

    Returns:
        ``snapshot`` and ``parent``: hashes; ``classes_added``; ``photographs``: how many; ``left_out``: how
        many of the accepted ones are not among them.

    Raises:
        ConflictError: nothing is accepted, or this model or server cannot learn by this path.
        StateBusyError, StateError, DiskFullError: nothing was frozen.
    """
    from leafsight.retraining.snapshot import freeze

    parent = place.registry.bundle(place.registry.get(SERVING))
    memory = remembered(parent)
    if place.order.path == "full":
        from leafsight.retraining.originals import require_originals

        require_originals(place, parent)
    place.telling.start("reading what was accepted")
    accepted = list(place.state.contributions.all_accepted())
    place.telling.finish(f"{len(accepted)} photographs")
    count = len(accepted)
    if not count:
        raise ConflictError("no photograph is accepted", hint="accept some, then retrain")
    if place.order.path == "quick":
        accepted = list(see(place, parent, memory.backbone, accepted).records)
    snapshot = freeze(parent, accepted, seed=place.order.seed)
    place.put_json(SNAPSHOT, snapshot.to_dict())
    place.put_json(SUMMARY, snapshot.summary())
    return {
        "snapshot": snapshot.hash,
        "parent": parent.content_hash,
        "classes_added": list(snapshot.classes_added),
        "photographs": len(snapshot.rows),
        "left_out": count - len(snapshot.rows),
    }


def build(place: Workplace, frozen: Mapping[str, Any]) -> dict[str, Any]:
    """Make the candidate from the snapshot.

    Returns:
        ``candidate``: its hash.

    Raises:
        LeafsightError: it cannot be made; what is said is in the words of who makes it.
    """
    snapshot, parent = frozen_snapshot(place, frozen), place.model(str(frozen["parent"]))
    if place.order.path == "full":
        from leafsight.retraining.full import full_candidate

        made = full_candidate(place, parent, snapshot)
    else:
        made = _quick(place, parent, snapshot)
    place.keep_candidate(place.folder.candidate)
    return {"candidate": made}


def evaluate(place: Workplace, built: Mapping[str, Any]) -> dict[str, Any]:
    """See that the candidate is whole, and how large it is; its answers are judged by the gate.

    Raises:
        BundleCorruptError: it is damaged, and so is its copy.
    """
    place.telling.start("reading the candidate")
    candidate = place.candidate(str(built["candidate"]))
    place.telling.finish(f"{len(candidate.classes)} classes")
    return {"classes": len(candidate.classes), "bytes": candidate.size_bytes}


def judge(
    place: Workplace, frozen: Mapping[str, Any], built: Mapping[str, Any], champion: str
) -> dict[str, Any]:
    """Hold the candidate against a champion, and keep the report.

    Args:
        place: where both are.
        frozen: what ``take_snapshot`` gave.
        built: what ``build`` gave.
        champion: hash of the model to be held against.

    Returns:
        ``passed``, ``said``, ``checks``, ``hash`` of the report, and ``champion``.

    Raises:
        BundleError: the champion cannot be used, or the candidate is damaged and so is its copy.
    """
    from leafsight.retraining.gate import judge_gate
    from leafsight.retraining.gate_options import GateOptions
    from leafsight.retraining.gate_page import gate_page

    against, candidate = place.model(champion), place.candidate(str(built["candidate"]))
    options = validated(GateOptions, place.order.gate, "the limits of the gate")
    report = judge_gate(against, candidate, options=options, progress=place.telling)
    values = report.to_dict()
    place.put_json(GATE, values)
    page = gate_page(report, snapshot=frozen_snapshot(place, frozen))
    place.blobs.put(place.blob(GATE_PAGE), page.encode())
    return {
        "passed": bool(report.passed),
        "said": str(report.said),
        "checks": list(values["checks"])[:MOST_CHECKS],
        "hash": gate_hash(values),
        "champion": champion,
    }


def begin_watch(place: Workplace, built: Mapping[str, Any], promoted: Mapping[str, Any]) -> dict[str, Any]:
    """Let what serves now be watched, if it was promoted here; and tell who wants to be told.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    from leafsight.monitoring import alert
    from leafsight.monitoring import begin_watch as begin

    job, now_ms = place.order.job, place.state.now()
    if not promoted["promoted"]:
        if promoted["why"] == "the gate did not hold":
            alert(
                place.state,
                "gate_failed",
                "a retrained model was not promoted: the gate did not hold",
                event=job,
                now_ms=now_ms,
            )
        return {"watched": False}
    mark = place.state.marks.get("watch") or {}
    if mark.get("change") != promoted["change"]:
        begin(
            place.state,
            model_hash=str(built["candidate"]),
            former=promoted["former"],
            minutes=place.order.watch_minutes,
            now_ms=now_ms,
            change=promoted["change"],
        )
    event = f"{SERVING} {promoted['change']}"
    alert(place.state, "promoted", "a retrained model was promoted", event=event, now_ms=now_ms)
    return {"watched": place.order.watch_minutes > 0}


def remembered(bundle: Bundle) -> Memory:
    """The memory of a bundle.

    Raises:
        ConflictError: it has none.
    """
    memory = bundle.memory()
    if memory is None:
        raise ConflictError(
            f"the model {bundle.name!r} remembers nothing of the photographs that it was made from",
            hint="promote a model that was exported with a memory",
        )
    return memory


def frozen_snapshot(place: Workplace, frozen: Mapping[str, Any]) -> Snapshot:
    """The snapshot as it was frozen.

    Raises:
        StateError: the store holds another one.
        ConflictError: it is gone.
    """
    from leafsight.retraining.snapshot import Snapshot

    try:
        snapshot = Snapshot.from_dict(json.loads(place.blobs.get(place.blob(SNAPSHOT))))
    except (NotFoundError, TrainingError, ValueError) as error:
        raise ConflictError("the snapshot is gone or damaged", hint="begin another retraining") from error
    if snapshot.hash != frozen["snapshot"]:
        raise ConflictError("the snapshot is another one than was frozen", hint="begin another retraining")
    return snapshot


def _quick(place: Workplace, parent: Bundle, snapshot: Snapshot) -> str:
    from leafsight.retraining.quick import quick_candidate
    from leafsight.retraining.quick_options import QuickOptions

    quick_candidate(
        parent,
        snapshot,
        _features(place, parent, snapshot),
        place.folder.candidate,
        options=QuickOptions(),
        progress=place.telling,
        job=place.order.job,
    )
    return open_bundle(place.folder.candidate).content_hash


def _features(place: Workplace, parent: Bundle, snapshot: Snapshot) -> dict[str, np.ndarray]:
    """Contribution -> what the backbone sees in it; looked at again where the database lost it."""
    found = [place.state.contributions.get(row.id) for row in snapshot.rows]
    seen = see(place, parent, remembered(parent).backbone, [one for one in found if one is not None])
    features = {one.id: one.embedding for one in seen.records if one.embedding is not None}
    if len(features) < len(snapshot.rows):
        gone = next(row.id for row in snapshot.rows if row.id not in features)
        raise ConflictError(
            f"photograph {gone} of the snapshot is gone or cannot be read any more",
            hint="begin another retraining",
        )
    return features
