"""The graph in ONNX Runtime: uint8 squares in, logits, embedding and feature map out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leafsight.bundle import NetworkSpec, TensorSpec
from leafsight.errors import BundleCorruptError, UsageError
from leafsight.evaluation import Scores

FATAL_ONLY = 4
"""ONNX Runtime's level of talk: whatever goes wrong arrives as an exception anyway."""
DEFAULT_PROVIDERS = ("CPUExecutionProvider",)
DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}


@dataclass(frozen=True, slots=True)
class NetworkOutputs:
    """What the graph gave for n squares.

    Attributes:
        logits: float32 ``[n, classes]``.
        embedding: float32 ``[n, d]``.
        feature_map: float32 ``[n, d, h, w]``, or None when it was not asked for.
    """

    logits: np.ndarray
    embedding: np.ndarray
    feature_map: np.ndarray | None


class OnnxNetwork:
    """One session; safe to call from several threads at once.

    Args:
        model: the ONNX file.
        spec: names and shapes that the graph must have.
        threads: of one call. More callers at once are better served by 1 each.
        providers: of ONNX Runtime, in order of preference.
        batch_size: most squares in one pass; bounds the memory.

    Attributes:
        spec: as given.
        batch_size: may be changed between calls.
        may_gain_from_batches: whether larger passes may take less time a square. On one thread of a processor
            they take as long or longer (measured: 9.5 ms alone, 10.1 by two, 9.9 by four, 10.4 by eight).

    Raises:
        BundleCorruptError: ONNX Runtime cannot load it, or its doors are not those of ``spec``.
        UsageError: a provider that this ONNX Runtime does not have, or ``threads`` below 1.
    """

    def __init__(
        self,
        model: bytes,
        spec: NetworkSpec,
        *,
        threads: int = 1,
        providers: Sequence[str] = DEFAULT_PROVIDERS,
        batch_size: int = 8,
    ) -> None:
        if threads < 1 or batch_size < 1:
            raise UsageError(f"threads is {threads} and batch_size {batch_size}", hint="both start at 1")
        self.spec = spec
        self.batch_size = batch_size
        self.may_gain_from_batches = threads > 1 or tuple(providers) != DEFAULT_PROVIDERS
        self._session = _session(model, threads, providers)
        _check_doors(self._session, spec)

    def run(self, squares: np.ndarray, *, with_feature_map: bool = False) -> NetworkOutputs:
        """Outputs for any number of squares, in bounded batches.

        Args:
            squares: uint8 ``[n, side, side, 3]``, n at least 1.
            with_feature_map: also give the feature map, which is most of the output's bytes.

        Raises:
            UsageError: another shape or dtype.
            BundleCorruptError: an output holds NaN or infinity, so the network is broken.
        """
        wanted = self.spec.input.shape[1:]
        if squares.dtype != np.uint8 or squares.ndim != 4 or squares.shape[1:] != wanted or not len(squares):
            raise UsageError(f"the network wants uint8 (n, *{wanted}), got {squares.dtype} {squares.shape}")
        names = [self.spec.logits.name, self.spec.embedding.name]
        if with_feature_map:
            names.append(self.spec.feature_map.name)
        parts = [
            self._pass(squares[at : at + self.batch_size], names)
            for at in range(0, len(squares), self.batch_size)
        ]
        joined = [
            column[0] if len(column) == 1 else np.concatenate(column) for column in zip(*parts, strict=True)
        ]
        if not (np.isfinite(joined[0]).all() and np.isfinite(joined[1]).all()):
            raise BundleCorruptError("network.onnx gives NaN or infinity", hint="export the model again")
        return NetworkOutputs(joined[0], joined[1], joined[2] if with_feature_map else None)

    def __call__(self, squares: np.ndarray) -> Scores:
        """Logits and embedding, as room ``evaluation`` wants them; arguments and errors as ``run``."""
        outputs = self.run(squares)
        return Scores(outputs.logits, outputs.embedding)

    def warm_up(self) -> None:
        """One pass over a grey square: the first one allocates and costs several times the others."""
        self.run(self._grey(1), with_feature_map=True)

    def run_grey(self, squares: int) -> NetworkOutputs:
        """One pass over so many grey squares, whatever ``batch_size`` says: to measure what it takes."""
        logits, embedding = self._pass(self._grey(squares), [self.spec.logits.name, self.spec.embedding.name])
        return NetworkOutputs(logits, embedding, None)

    def _grey(self, squares: int) -> np.ndarray:
        return np.full((squares, *(size or 1 for size in self.spec.input.shape[1:])), 128, np.uint8)

    def _pass(self, squares: np.ndarray, names: list[str]) -> list[np.ndarray]:
        return list(self._session.run(names, {self.spec.input.name: np.ascontiguousarray(squares)}))


def _session(model: bytes, threads: int, providers: Sequence[str]) -> Any:
    import onnxruntime as ort

    unknown = sorted(set(providers) - set(ort.get_available_providers()))
    if unknown or not providers:
        raise UsageError(
            f"ONNX Runtime has no provider {', '.join(unknown) or '(none was named)'}",
            hint=f"choose from: {', '.join(ort.get_available_providers())}",
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = FATAL_ONLY
    # Waiting threads would otherwise burn the cores that decode the next photograph.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A graph may name other files to take its weights from; a bundle's may not, so there is nowhere to look.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    try:
        return ort.InferenceSession(model, options, providers=list(providers))
    except Exception as error:  # ONNX Runtime raises a dozen classes of its own, all for the same reason.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BundleCorruptError(
            f"network.onnx cannot be loaded: {reason}", hint="export the model again, or update onnxruntime"
        ) from error


def _check_doors(session: Any, spec: NetworkSpec) -> None:
    """Compare the graph with what the manifest says of it."""
    found = {door.name: door for door in (*session.get_inputs(), *session.get_outputs())}
    for wanted in (spec.input, spec.logits, spec.embedding, spec.feature_map):
        door = found.get(wanted.name)
        if door is None:
            raise BundleCorruptError(f"network.onnx has no {wanted.name!r}, only {', '.join(found)}")
        if DTYPES.get(door.type) != wanted.dtype or not _fits(door.shape, wanted):
            raise BundleCorruptError(
                f"network.onnx: {wanted.name!r} is {door.type} {door.shape}, the manifest says "
                f"{wanted.dtype} {list(wanted.shape)}"
            )


def _fits(shape: list[Any], wanted: TensorSpec) -> bool:
    """Whether every size that the graph fixes is the wanted one; names and None are free."""
    return len(shape) == len(wanted.shape) and all(
        not isinstance(size, int) or size == want for size, want in zip(shape, wanted.shape, strict=True)
    )
