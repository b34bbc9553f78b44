"""fp32 or INT8: both measured on labelled photographs and on this machine, then decided."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from leafsight.bundle import NetworkSpec
from leafsight.export.options import ExportOptions
from leafsight.export.quantising import Scheme, quantise
from leafsight.inference import OnnxNetwork, interleaved_ms, median_ratio
from leafsight.progress import Progress

SCHEMES = (
    Scheme(plain_convolutions=1),
    Scheme(plain_convolutions=3),
    Scheme(plain_convolutions=1, reduce_range=True),
)
CPU_FLAGS = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One INT8 graph against the fp32 one.

    Attributes:
        scheme: how it was quantised, in words.
        size_bytes: of the graph.
        top1_agreement: share of photographs with the same first class as fp32.
        accuracy_fp32: share of right first classes.
        accuracy_int8: the same for this graph.
        median_ms_fp32: one photograph, one thread, in the same interleaved run.
        median_ms_int8: the same for this graph.
        speedup: median over the rounds of fp32 time over INT8 time.
        kept: whether it passed both gates.
    """

    scheme: str
    size_bytes: int
    top1_agreement: float
    accuracy_fp32: float
    accuracy_int8: float
    median_ms_fp32: float
    median_ms_int8: float
    speedup: float
    kept: bool

    @property
    def accuracy_loss(self) -> float:
        """Share of photographs lost; negative when INT8 happens to be better."""
        return self.accuracy_fp32 - self.accuracy_int8


@dataclass(frozen=True, slots=True)
class PrecisionDecision:
    """Which precision is kept and why.

    Attributes:
        precision: ``fp32`` or ``int8``.
        reason: one sentence with the numbers.
        photos: judged photographs.
        candidates: every INT8 graph that was tried.
    """

    precision: str
    reason: str
    photos: int
    candidates: tuple[Candidate, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the bundle's provenance."""
        return asdict(self)


def decide_precision(
    graph: bytes,
    spec: NetworkSpec,
    calibration_images: np.ndarray,
    images: np.ndarray,
    labels: np.ndarray,
    options: ExportOptions,
    progress: Progress,
) -> tuple[bytes, PrecisionDecision]:
    """The graph to keep and the reason.

    8-bit weights are tried first, with the first convolution in fp32 and then the first three. 7-bit weights
    come last, only on a processor without VNNI, where saturation may be the cause of a loss (see ``Scheme``).
    Each next scheme is slower or coarser, so a graph that is not fast enough ends the search.

    Args:
        graph: fp32.
        spec: of the graph.
        calibration_images: uint8 [m, side, side, 3], training photographs.
        images: uint8 [n, side, side, 3], photographs that set no weight and no range.
        labels: int [n], their classes.
        options: gates and amounts.
        progress: told of photographs.
    """
    if options.precision == "fp32":
        return graph, PrecisionDecision("fp32", "fp32 was asked for", 0)
    if len(images) == 0 or len(calibration_images) == 0:
        return graph, PrecisionDecision("fp32", "no photographs to calibrate and judge INT8 on", 0)
    sample = evenly(calibration_images, options.calibration_photos)
    candidates: list[Candidate] = []
    for scheme in [one for one in SCHEMES if not (one.reduce_range and has_vnni())]:
        progress.start(f"INT8, {scheme}", len(images))
        int8 = quantise(graph, sample, input_name=spec.input.name, scheme=scheme)
        candidate = _measure(graph, int8, spec, images, labels, options, scheme)
        candidates.append(candidate)
        progress.advance(len(images))
        progress.finish(_numbers(candidate))
        if candidate.kept:
            reason = f"INT8 passes: {_numbers(candidate)}"
            return int8, PrecisionDecision("int8", reason, len(images), tuple(candidates))
        if candidate.speedup < options.min_speedup:
            break
    reason = "INT8 fails: " + "; ".join(_numbers(candidate) for candidate in candidates)
    return graph, PrecisionDecision("fp32", reason, len(images), tuple(candidates))


def _measure(
    fp32: bytes,
    int8: bytes,
    spec: NetworkSpec,
    images: np.ndarray,
    labels: np.ndarray,
    options: ExportOptions,
    scheme: Scheme,
) -> Candidate:
    plain, small = OnnxNetwork(fp32, spec), OnnxNetwork(int8, replace(spec, precision="int8"))
    said_plain, said_small = plain(images).logits.argmax(1), small(images).logits.argmax(1)
    one = np.ascontiguousarray(images[:1])
    times = interleaved_ms(
        {"fp32": lambda: plain.run(one), "int8": lambda: small.run(one)}, options.timed_rounds
    )
    accuracy_fp32, accuracy_int8 = (float((said == labels).mean()) for said in (said_plain, said_small))
    speedup = median_ratio(times["fp32"], times["int8"])
    # Shares such as 0.9 - 0.897 come out a rounding error above 0.003.
    accurate = accuracy_fp32 - accuracy_int8 <= options.max_accuracy_loss + 1e-9
    return Candidate(
        scheme=str(scheme),
        size_bytes=len(int8),
        top1_agreement=float((said_plain == said_small).mean()),
        accuracy_fp32=accuracy_fp32,
        accuracy_int8=accuracy_int8,
        median_ms_fp32=median(times["fp32"]),
        median_ms_int8=median(times["int8"]),
        speedup=speedup,
        kept=accurate and speedup >= options.min_speedup,
    )


def _numbers(candidate: Candidate) -> str:
    return (
        f"{candidate.scheme}: {candidate.speedup:.2f} times as fast, accuracy "
        f"{candidate.accuracy_int8:.4f} against {candidate.accuracy_fp32:.4f}, same first class on "
        f"{candidate.top1_agreement:.4f}"
    )


def evenly(images: np.ndarray, count: int) -> np.ndarray:
    """At most ``count`` photographs spread over all of them, which are often sorted by class."""
    rows = np.unique(np.linspace(0, len(images) - 1, min(count, len(images))).round().astype(np.int64))
    return np.ascontiguousarray(images[rows])


def has_vnni() -> bool:
    """Whether the processor multiplies bytes without saturation; False where nobody says so."""
    try:
        return "vnni" in CPU_FLAGS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
