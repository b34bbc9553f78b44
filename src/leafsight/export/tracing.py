"""Network -> ONNX: the one place that knows torch's exporter.

Enters: a ``Network``. Leaves: the bytes of a graph that takes uint8 squares as they come from the decoder.
Swap ``_trace`` for another exporter and nothing else changes.
"""

from __future__ import annotations

import copy
import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from leafsight.bundle import NetworkSpec
from leafsight.errors import ExportError
from leafsight.export.tidying import tidy
from leafsight.models import Network

# 17 is what onnxruntime 1.22, our oldest, and every runtime since 2022 reads; nothing newer is needed.
OPSET = 17

# The TorchScript exporter is deprecated but takes 1.5 s where the new one takes 36 s and a second package
# (FACTS, section 2: equal outputs). Exactly what it says on every call is kept quiet, nothing else.
KNOWN_WARNINGS: tuple[tuple[str, type[Warning]], ...] = (
    ("You are using the legacy TorchScript-based ONNX export", DeprecationWarning),
    ("The feature will be removed. Please remove usage of this function", DeprecationWarning),
    # "same" padding becomes a constant: right, because the side is part of the bundle's contract.
    (
        "Converting a tensor to a Python integer might cause the trace to be incorrect",
        torch.jit.TracerWarning,  # type: ignore[attr-defined]
    ),
    ("Constant folding - Only steps=1 can be constant folded", UserWarning),
)


class _Door(nn.Module):
    """The network as it is served: uint8 [n, side, side, 3] in, the three outputs out.

    With ``mirrored`` the feature map is the mean of two: of the photograph, and of its mirror image turned
    back. What follows is linear, so the class activation map stays exact.
    """

    def __init__(self, network: Network, *, mirrored: bool) -> None:
        super().__init__()
        self.network, self.mirrored = network, mirrored
        # With one value for all channels the graph gets plain numbers. A [1, 3, 1, 1] constant is broadcast
        # over the last axis in NHWC, and ONNX Runtime takes 1.4 ms for that at 224 px: a fifth of the INT8
        # network.
        self.shift, self.scale = _plain(network.mean), _plain(network.std)

    def forward(self, squares: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, embedding and feature map."""
        pixels = self.network.morphology(squares.permute(0, 3, 1, 2).to(torch.float32))
        feature_map = self._features((pixels - self.shift) / self.scale)
        embedding = feature_map.mean(dim=(2, 3))
        return self.network.head(embedding), embedding, feature_map

    def _features(self, scaled: Tensor) -> Tensor:
        if not self.mirrored:
            plain: Tensor = self.network.features(scaled)
            return plain
        # One pass over both: a second copy of the network would double the graph and its packed weights.
        both = self.network.features(torch.cat([scaled, scaled.flip(3)]))
        _, channels, height, width = both.shape
        pairs = both.reshape(2, -1, channels, height, width)
        return torch.stack([pairs[0], pairs[1].flip(3)]).mean(0)


def _plain(values: Tensor) -> Tensor | float:
    flat = values.flatten().tolist()
    return float(flat[0]) if len(set(flat)) == 1 else values


def spec_of(network: Network, side_px: int, *, precision: str = "fp32") -> NetworkSpec:
    """Names and shapes of the graph that ``export_graph`` makes of a network for squares of ``side_px``."""
    _, height, width = _map_shape(_for_export(network), side_px)
    return NetworkSpec.standard(
        side_px=side_px,
        n_classes=network.n_classes,
        width=network.embedding_size,
        map_hw=(height, width),
        precision=precision,
    )


def export_graph(network: Network, spec: NetworkSpec, *, mirrored: bool = False) -> bytes:
    """The network as an fp32 ONNX graph with transposition, scaling and folded batch normalisation inside.

    Args:
        network: left as it is; a copy on the CPU in eval mode is traced.
        spec: from ``spec_of``; gives the names and the side. The number of photographs stays free.
        mirrored: look at the mirror image of every photograph too; twice the work.

    Raises:
        ExportError: torch cannot express the network in ONNX.
    """
    side_px = spec.input.shape[1]
    assert side_px is not None
    try:
        traced = _trace(door_of(network, mirrored=mirrored), side_px, spec)
    except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ExportError(f"{network.options.name} cannot be expressed in ONNX: {reason}") from error
    return tidy(traced)


def door_of(network: Network, *, mirrored: bool = False) -> nn.Module:
    """The network as it is served, to be traced: a copy on the CPU in eval mode.

    It takes uint8 [n, side, side, 3] and gives logits, embedding and feature map. Arguments: see
    ``export_graph``.
    """
    return _Door(_for_export(network), mirrored=mirrored).eval()


def _trace(door: nn.Module, side_px: int, spec: NetworkSpec) -> bytes:
    outputs = [spec.logits.name, spec.embedding.name, spec.feature_map.name]
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="leafsight-export-") as folder:
        path = Path(folder) / "traced.onnx"
        for message, category in KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message=message, category=category)
        torch.onnx.export(
            door,
            (torch.zeros(1, side_px, side_px, 3, dtype=torch.uint8),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=[spec.input.name],
            output_names=outputs,
            dynamic_axes={name: {0: "n"} for name in [spec.input.name, *outputs]},
        )
        return path.read_bytes()


def _for_export(network: Network) -> Network:
    return copy.deepcopy(network).cpu().float().eval()


@torch.no_grad()
def _map_shape(network: Network, side_px: int) -> tuple[int, int, int]:
    channels, height, width = network.outputs(torch.zeros(1, 3, side_px, side_px)).feature_map.shape[1:]
    return channels, height, width
