"""What a candidate is made of, and what came of making it.

Enters: head, graph, calibration, evaluations, memory. Leaves: a bundle in one file. There are no times in it:
the same parent and snapshot give the same bytes, so a retraining that was killed ends with the same model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from leafsight import __version__
from leafsight.bundle import Bundle, BundleContents, Label, Memory, NetworkSpec, write_bundle
from leafsight.evaluation import Calibration, Evaluation
from leafsight.retraining.calibrating import plain_calibration
from leafsight.retraining.graph import HeadProof
from leafsight.retraining.head import Head, Learned
from leafsight.retraining.quick_card import quick_card, quick_recipe
from leafsight.retraining.quick_options import QuickOptions
from leafsight.retraining.snapshot import PROVENANCE, Snapshot
from leafsight.retraining.torch_weights import weights_with_head

BASE_WEIGHT, BASE_BIAS = "base_weight", "base_bias"
"""Arrays beside the calibration: the head that the original photographs gave. Every quick candidate is
learned on from it, never from another candidate's: so it does not matter in how many rounds contributions
came, and what was rejected since leaves no trace."""
SAME_PHOTOGRAPHS = ("data_fingerprint", "split_fingerprint", "sources", "photographs", "groups_known")
"""Of the parent's provenance: what stays true, since the locked test is the same."""


@dataclass(frozen=True)
class BuiltCandidate:
    """A candidate that was made.

    Attributes:
        path: of its bundle.
        hash: its content hash.
        classes_added: those that the parent does not know.
        photographs: how many contributions there are of each role.
        steps: of the descent that found the head.
        settled: whether it ended by itself.
        proof: the graph says what the head says.
        temperature, answer_threshold: of the new calibration.
        test: evaluation of the locked test.
        probe: of the contributions that were held out; None without any.
        weights_kept: whether the torch weights went along, with the new head.
    """

    path: Path
    hash: str
    classes_added: tuple[str, ...]
    photographs: Mapping[str, int]
    steps: int
    settled: bool
    proof: HeadProof
    temperature: float
    answer_threshold: float
    test: Evaluation
    probe: Evaluation | None
    weights_kept: bool

    def to_dict(self) -> dict[str, Any]:
        """The short of it, as plain values."""
        measured = {"test": self.test} | ({} if self.probe is None else {"probe": self.probe})
        return {
            "hash": self.hash,
            "classes_added": list(self.classes_added),
            "photographs": dict(self.photographs),
            "steps": self.steps,
            "settled": self.settled,
            "proof": self.proof.to_dict(),
            "temperature": self.temperature,
            "answer_threshold": self.answer_threshold,
            "weights_kept": self.weights_kept,
            "accuracy": {name: one.overall.metrics["accuracy"].to_dict() for name, one in measured.items()},
        }


@dataclass(frozen=True, eq=False)
class Made:
    """Everything that was found for a candidate, before it is a file; fields as in ``BundleContents``."""

    labels: Sequence[Label]
    learned: Learned
    base: Head
    network: bytes
    spec: NetworkSpec
    proof: HeadProof
    calibration: Calibration
    memory: Memory
    test: Evaluation
    probe: Evaluation | None


def base_head(parent: Bundle) -> Head | None:
    """The head that the original photographs gave: the parent's own, or the one that it started from."""
    arrays = parent.calibration_arrays()
    if BASE_WEIGHT in arrays and BASE_BIAS in arrays:
        return Head(np.asarray(arrays[BASE_WEIGHT], np.float32), np.asarray(arrays[BASE_BIAS], np.float32))
    own = parent.cam_head()
    return None if own is None else Head(np.asarray(own[0], np.float32), np.asarray(own[1], np.float32))


def write_candidate(
    out: Path, parent: Bundle, snapshot: Snapshot, made: Made, options: QuickOptions, job: str
) -> BuiltCandidate:
    """Write the bundle, whole or not at all.

    Raises:
        BundleError: the parts do not fit together.
        DiskFullError, PermissionDeniedError, StorageError: the file cannot be written.
    """
    old = parent.weights()
    weights = None if old is None else weights_with_head(old, made.learned.head, snapshot.classes)
    photographs = {role: len(snapshot.of_role(role)) for role in ("train", "calibration", "probe")}
    contents: BundleContents = replace(
        parent.contents(),
        name=options.name or parent.name,
        labels=made.labels,
        network=made.network,
        network_spec=made.spec,
        calibration=plain_calibration(parent, made.calibration),
        calibration_arrays={
            **made.calibration.to_parts(),
            BASE_WEIGHT: made.base.weight,
            BASE_BIAS: made.base.bias,
        },
        cam_weight=made.learned.head.weight,
        cam_bias=made.learned.head.bias,
        weights=weights,
        metrics=_metrics(made),
        provenance=_provenance(parent, snapshot, made, options, job),
        recipe=quick_recipe(options, snapshot),
        card=quick_card(parent, snapshot, made.test, made.probe, weights_kept=weights is not None),
        created_by=f"leafsight {__version__}",
        memory=made.memory,
    )
    manifest = write_bundle(out, contents)
    return BuiltCandidate(
        path=out,
        hash=manifest.content_hash,
        classes_added=snapshot.classes_added,
        photographs=photographs,
        steps=made.learned.steps,
        settled=made.learned.settled,
        proof=made.proof,
        temperature=made.calibration.temperature,
        answer_threshold=made.calibration.answer_threshold,
        test=made.test,
        probe=made.probe,
        weights_kept=weights is not None,
    )


def _metrics(made: Made) -> dict[str, Any]:
    measured = {"test": made.test.to_dict(), "abroad": {}}
    return measured if made.probe is None else measured | {"probe": made.probe.to_dict()}


def _provenance(
    parent: Bundle, snapshot: Snapshot, made: Made, options: QuickOptions, job: str
) -> dict[str, Any]:
    before = parent.provenance
    quick = isinstance(before.get(PROVENANCE), Mapping) and before[PROVENANCE].get("path") == "quick"
    # A candidate of a candidate keeps the provenance of the first parent and a line for each round: a chain
    # of whole provenances would grow without end.
    first, line = (before.get("parent", {}), before.get("lineage", [])) if quick else (before, [])
    round_ = {"parent": parent.content_hash, "snapshot": snapshot.hash, "path": "quick", "job": job}
    return {
        **{name: before[name] for name in SAME_PHOTOGRAPHS if name in before},
        PROVENANCE: {
            **round_,
            "classes_added": list(snapshot.classes_added),
            "classes_removed": list(snapshot.classes_removed),
            "contributions": snapshot.counts,
            "left_out": len(snapshot.left_out),
            "roles_against_chance": snapshot.roles_against_chance,
            "options": options.model_dump(),
            "steps": made.learned.steps,
            "settled": made.learned.settled,
            "parity": made.proof.to_dict(),
        },
        "lineage": [*line, round_],
        "parent": first,
    }
