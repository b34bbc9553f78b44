"""The quick path: a new last layer, learned on embeddings that are there already. Seconds, no torch.

Enters: the model that serves, a snapshot, the embeddings of its photographs. Leaves: a bundle. The network
before the last layer stays as it is, byte for byte; so does what it makes of a photograph.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from leafsight.bundle import Bundle, Label, Memory
from leafsight.errors import ExportError, TrainingError
from leafsight.evaluation import Calibration, Evaluation, EvaluationOptions, Scores, evaluate
from leafsight.inference import OnnxNetwork
from leafsight.progress import Progress, Silent
from leafsight.retraining.calibrating import crops_of, labels_of, recalibrated
from leafsight.retraining.candidate import BuiltCandidate, Made, base_head, write_candidate
from leafsight.retraining.graph import HeadProof, prove_head, with_head
from leafsight.retraining.head import Head
from leafsight.retraining.quick_options import QuickOptions
from leafsight.retraining.rehearsal import rehearse
from leafsight.retraining.remembering import remember, require_something_to_learn
from leafsight.retraining.snapshot import Snapshot

STEPS = 6


def quick_candidate(
    parent: Bundle,
    snapshot: Snapshot,
    embeddings: Mapping[str, np.ndarray],
    out: Path,
    *,
    options: QuickOptions | None = None,
    progress: Progress | None = None,
    job: str = "",
) -> BuiltCandidate:
    """Make a candidate that knows what the snapshot teaches.

    The same arguments give the same bytes (on one machine with the same number of threads).

    Args:
        parent: the model to learn on from; it must have a memory.
        snapshot: of ``freeze`` with the same parent.
        embeddings: contribution id -> float[d], made by the network of the parent (``Memory.backbone``).
        out: the bundle, ``NAME.leafsight``.
        options: see ``QuickOptions``.
        progress: told of each step.
        job: id of the job, for the provenance.

    Raises:
        TrainingError: the parent has no memory or another kind of head, the snapshot is of another parent or
            has nothing to learn from, or an embedding does not fit.
        ExportError: the new graph does not say what the new head says.
        BundleError, StorageError: the bundle cannot be read or written.
        MissingExtraError: package onnx is not installed.
    """
    options, progress = options or QuickOptions(), progress or Silent()
    if snapshot.parent != parent.content_hash:
        raise TrainingError(
            f"the snapshot is of the model {snapshot.parent[:12]}, not of {parent.content_hash[:12]}",
            hint="begin the retraining again",
        )
    require_something_to_learn(snapshot)
    before, base = _required(parent)
    labels = labels_of(parent, snapshot.classes)
    progress.start("learning a head", STEPS)
    memory = remember(before, snapshot, embeddings)
    learned, unseen = rehearse(memory, base, len(labels), options, progress)
    network, spec = with_head(parent.network(), parent.network_spec, learned.head)
    proof = prove_head(
        OnnxNetwork(parent.network(), parent.network_spec),
        OnnxNetwork(network, spec),
        learned.head,
        squares=options.proof_squares,
    )
    _require_proof(proof)
    progress.advance(note="proved")
    calibration = recalibrated(parent, labels, memory, unseen)
    progress.advance(note="calibrated")
    test = judged(memory, "test", learned.head, calibration, labels, options)
    if test is None:
        raise TrainingError(f"the model {parent.name} remembers no locked test", hint="export it again")
    probe = judged(memory, "probe", learned.head, calibration, labels, options)
    made = Made(labels, learned, base, network, spec, proof, calibration, memory, test, probe)
    built = write_candidate(out, parent, snapshot, made, options, job)
    progress.advance(note="judged")
    progress.finish(f"accuracy on the locked test {test.overall.metrics['accuracy'].value:.4f}")
    return built


def judged(
    memory: Memory,
    split: str,
    head: Head,
    calibration: Calibration,
    labels: list[Label],
    options: QuickOptions,
) -> Evaluation | None:
    """The evaluation of one split of a memory; None when it has no photograph."""
    rows = memory.rows(split)
    if not len(rows):
        return None
    embedding = memory.embedding[rows]
    return evaluate(
        Scores(head.logits(embedding), embedding),
        memory.label[rows],
        calibration.classes,
        calibration,
        groups=memory.group[rows].tolist(),
        domains=[memory.domain_names[at] for at in memory.domain[rows]],
        known_crops=crops_of(labels),
        options=EvaluationOptions(resamples=options.resamples),
    )


def _required(parent: Bundle) -> tuple[Memory, Head]:
    memory, base = parent.memory(), base_head(parent)
    if memory is None:
        raise TrainingError(
            f"the model {parent.name} remembers no photographs, so there is no quick path on from it",
            hint="use the full path, or export the model again",
        )
    if base is None or len(base.bias) < memory.base_classes:
        raise TrainingError(
            f"the model {parent.name} does not end in one dense layer, so there is no quick path on from it",
            hint="use the full path",
        )
    return memory, Head(base.weight[: memory.base_classes], base.bias[: memory.base_classes])


def _require_proof(proof: HeadProof) -> None:
    if not proof.passed:
        raise ExportError(
            f"the new graph differs from the new head by {proof.max_abs_diff:.1e} and from the old network by"
            f" {proof.max_abs_diff_embedding:.1e}, at most {proof.tolerance:.0e} is allowed",
            hint="use the full path",
        )
