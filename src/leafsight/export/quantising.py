"""fp32 graph -> INT8 graph, by ONNX Runtime's static quantiser in its QDQ form.

Weights get one scale per output channel, activations one scale and zero point each, from the smallest and
largest value on the given photographs. The scaling of pixels before the first convolution, the pooling and
the dense layer stay in fp32: they cost nothing, and the class activation map stays exact.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from leafsight.errors import ExportError, require

QUANTISED_OPERATORS = ("Conv", "Add", "Clip", "Relu", "MaxPool")
CALIBRATION_BATCH = 8


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to quantise.

    Attributes:
        plain_convolutions: how many of the first convolutions stay in fp32. Without VNNI, x86 multiplies
            unsigned by signed bytes with VPMADDUBSW, whose 16-bit sums of two products saturate. Bright
            pixels are large bytes, so it hurts the very first one most (see docs/export.md).
        reduce_range: 7 bits for weights, which cannot saturate but round twice as coarsely.
    """

    plain_convolutions: int = 1
    reduce_range: bool = False

    def __str__(self) -> str:
        bits = 7 if self.reduce_range else 8
        return f"{bits}-bit weights, convolutions in fp32: {self.plain_convolutions}"


class _Reader:
    """What the quantiser asks for photographs, a batch at a time."""

    def __init__(self, images: np.ndarray, input_name: str) -> None:
        starts = range(0, len(images), CALIBRATION_BATCH)
        self._batches = (
            {input_name: np.ascontiguousarray(images[at : at + CALIBRATION_BATCH])} for at in starts
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._batches, None)


def quantise(
    graph: bytes,
    images: UInt8[np.ndarray, "n side side 3"],
    *,
    input_name: str,
    scheme: Scheme,
) -> bytes:
    """The INT8 twin of an fp32 graph with the same inputs and outputs.

    Args:
        graph: from ``export_graph``.
        images: training photographs at the side of the graph, RGB 0..255.
        input_name: of the graph.
        scheme: what is left out or coarser.

    Raises:
        ExportError: no photographs, or the quantiser fails.
    """
    if len(images) == 0:
        raise ExportError("INT8 needs photographs to measure activations on", hint="use precision fp32")
    with tempfile.TemporaryDirectory(prefix="leafsight-int8-") as folder:
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        source.write_bytes(graph)
        try:
            with _silence():
                _quantise_file(source, target, _Reader(images, input_name), scheme)
        except Exception as error:  # onnxruntime raises bare ValueErrors, RuntimeErrors and its own classes
            raise ExportError(f"the INT8 quantiser failed: {error}", hint="use precision fp32") from error
        return target.read_bytes()


def _quantise_file(source: Path, target: Path, reader: _Reader, scheme: Scheme) -> None:
    onnx = require("onnx", "train")
    tools: Any = require("onnxruntime.quantization", "train")
    convolutions = [node.name for node in onnx.load(source).graph.node if node.op_type == "Conv"]
    tools.quantize_static(
        str(source),
        str(target),
        reader,
        quant_format=tools.QuantFormat.QDQ,
        op_types_to_quantize=list(QUANTISED_OPERATORS),
        per_channel=True,
        reduce_range=scheme.reduce_range,
        nodes_to_exclude=convolutions[: scheme.plain_convolutions],
        activation_type=tools.QuantType.QUInt8,
        weight_type=tools.QuantType.QInt8,
        calibrate_method=tools.CalibrationMethod.MinMax,
    )


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The quantiser prints to stdout, where results belong, and advises through the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
