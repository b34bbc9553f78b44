"""The conditions of the gate on the graph that runs: it is its head, it is as quick, it is as small.

Enters: two bundles that are ready to be asked, limits. Leaves: checks, each with a sentence. It sees no
photograph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from leafsight.bundle import Bundle
from leafsight.evaluation import Calibration
from leafsight.inference import OnnxNetwork, interleaved_ms, median_ratio
from leafsight.retraining.calibrating import calibration_of
from leafsight.retraining.gate_options import GateOptions
from leafsight.retraining.gate_report import Check
from leafsight.retraining.graph import drawn_squares
from leafsight.retraining.head import Head

MEMORY = "memory"
PROOF_SQUARES = 4
MEASURED_TIMES = 4
Times = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A bundle that is ready to be asked.

    Attributes:
        bundle: open.
        calibration: its own.
        network: its graph, on one thread.
    """

    bundle: Bundle
    calibration: Calibration
    network: OnnxNetwork

    @classmethod
    def of(cls, bundle: Bundle) -> Side:
        """Load network and calibration, and ask once: what is broken shows here."""
        network = OnnxNetwork(bundle.network(), bundle.network_spec)
        network.run(drawn_squares(bundle.network_spec, 1))
        calibration = calibration_of(bundle)
        bundle.require_classes(calibration.classes)
        return cls(bundle, calibration, network)

    @property
    def no_leaf(self) -> set[str]:
        """Names of its classes that mean "no leaf in the picture"."""
        return {label.class_name for label in self.bundle.labels if not label.is_leaf}


def parity_check(old: Side, new: Side, options: GateOptions) -> Check:
    """The graph says what the head says, and where the network is said to be the champion's, it is."""
    squares = drawn_squares(new.bundle.network_spec, PROOF_SQUARES)
    after = new.network.run(squares)
    own, worst = new.bundle.cam_head(), 0.0
    if own is not None:
        head = Head(np.asarray(own[0], np.float32), np.asarray(own[1], np.float32))
        worst = float(np.abs(after.logits - head.logits(after.embedding)).max())
    mine, theirs = old.bundle.memory(), new.bundle.memory()
    same = mine is not None and theirs is not None and mine.backbone == theirs.backbone
    if same:
        worst = max(worst, float(np.abs(after.embedding - old.network.run(squares).embedding).max()))
    exported = new.bundle.provenance.get("export")
    proof = exported.get("parity") if isinstance(exported, Mapping) else None
    proved = not isinstance(proof, Mapping) or proof.get("passed") is not False
    with_network = ", and from the champion's network by no more" if same else ""
    return Check(
        "parity", worst <= options.logit_tolerance and proved, worst, None, options.logit_tolerance,
        f"The graph differs from its head by at most {worst:.1e}{with_network};"
        f" {options.logit_tolerance:.0e} is the limit."
        + ("" if proved else " The proof of its export did not hold."),
    )  # fmt: skip


def latency_check(old: Side, new: Side, given: Times | None, options: GateOptions) -> Check:
    """How much longer a photograph takes.

    Other work on the machine can only make a candidate look slow, and a retraining runs beside a server: so
    what looks slow is measured again, and the best time counts.
    """
    passes = {
        which: _one_pass(side.network, drawn_squares(side.bundle.network_spec, 1))
        for which, side in (("champion", old), ("candidate", new))
    }
    ratio, now_ms = float("inf"), 0.0
    for again in range(1 if given else MEASURED_TIMES):
        times = given or interleaved_ms(passes, options.latency_rounds << again)
        found = median_ratio(times["candidate"], times["champion"])
        if found < ratio:
            ratio, now_ms = found, median(times["candidate"])
        if ratio <= options.latency_ratio:
            break
    return Check(
        "latency", ratio <= options.latency_ratio, ratio, None, options.latency_ratio,
        f"One photograph takes {ratio:.2f} times as long as with the champion ({now_ms:.1f} ms here);"
        f" {options.latency_ratio:g} times is the limit.",
    )  # fmt: skip


def _one_pass(network: OnnxNetwork, square: np.ndarray) -> Callable[[], object]:
    return lambda: network.run(square)


def size_check(old: Side, new: Side, options: GateOptions) -> Check:
    """Without the memory: a bundle may have that in a file of its own."""
    before, after = (_bytes_that_serve(side.bundle) for side in (old, new))
    added = len(set(new.bundle.classes) - set(old.bundle.classes))
    most = before * options.size_ratio + added * options.new_class_bytes
    return Check(
        "size", after <= most, after / before, None, most / before,
        f"The file without its memory has {after / 1e6:.2f} MB, that of the champion {before / 1e6:.2f} MB;"
        f" {most / 1e6:.2f} MB is the limit.",
    )  # fmt: skip


def _bytes_that_serve(bundle: Bundle) -> int:
    return sum(part.size_bytes for name, part in bundle.manifest.parts.items() if not name.startswith(MEMORY))
