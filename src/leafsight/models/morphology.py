"""Grey-level morphology as the first layer of a network: the same in training, evaluation and the graph.

Enters: pixel values 0..255, float [n, 3, h, w]. Leaves: the same shape and range. Whole numbers give the very
numbers of ``leafsight.images.apply_morphology``, bit for bit: nothing but maxima, minima and differences. It
has nothing to learn and stores nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leafsight.images import element_boxes
from leafsight.models.options import MorphologyOptions

Boxes: TypeAlias = tuple[tuple[int, int], ...]
Better: TypeAlias = Callable[[Tensor, Tensor], Tensor]


class Morphology(nn.Module):
    """One operation in place of the pixels; what each does is said in ``leafsight.images.morphology``.

    Input and output are float [n, channels, h, w].
    """

    def __init__(self, options: MorphologyOptions) -> None:
        super().__init__()
        self.options = options
        self.boxes = element_boxes(options.size_px, options.shape)

    def forward(self, pixels: Tensor) -> Tensor:
        """The changed pixels."""
        return _OPERATIONS[self.options.operation](self, pixels)

    def extra_repr(self) -> str:
        """What ``print(network)`` says."""
        return f"{self.options.operation}, {self.options.shape} {self.options.size_px} px"

    def dilation(self, x: Tensor) -> Tensor:
        """The highest value under the element."""
        return _extreme(x, self.boxes, torch.maximum, -torch.inf)

    def erosion(self, x: Tensor) -> Tensor:
        """The lowest value under the element."""
        return _extreme(x, self.boxes, torch.minimum, torch.inf)

    def opening(self, x: Tensor) -> Tensor:
        """Dilation of the erosion."""
        return self.dilation(self.erosion(x))

    def closing(self, x: Tensor) -> Tensor:
        """Erosion of the dilation."""
        return self.erosion(self.dilation(x))


_OPERATIONS: dict[str, Callable[[Morphology, Tensor], Tensor]] = {
    "erosion": Morphology.erosion,
    "dilation": Morphology.dilation,
    "opening": Morphology.opening,
    "closing": Morphology.closing,
    "white_top_hat": lambda layer, x: x - layer.opening(x),
    "black_top_hat": lambda layer, x: layer.closing(x) - x,
    "gradient": lambda layer, x: layer.dilation(x) - layer.erosion(x),
}


def morphology_layer(options: MorphologyOptions) -> nn.Module:
    """The layer of these options; the identity where they say ``none``."""
    return nn.Identity() if options.operation == "none" else Morphology(options)


def _extreme(x: Tensor, boxes: Boxes, better: Better, never: float) -> Tensor:
    """The best value under a union of boxes; ``never`` is what cannot win."""
    rows = {half: _running(x, half, 2, better, never) for half, _ in boxes}
    parts = [_running(rows[half_height], half_width, 3, better, never) for half_height, half_width in boxes]
    return reduce(better, parts)


def _running(x: Tensor, half: int, axis: int, better: Better, never: float) -> Tensor:
    """The best of ``2 * half + 1`` neighbours along one axis, as ``images.morphology`` finds it.

    torch's own ``max_pool2d`` takes many times longer on a CPU (``benchmarks/morphology.py``). In a graph it
    is one node instead of a dozen, and ONNX Runtime's is the quicker one.
    """
    if half == 0:
        return x
    if torch.onnx.is_in_onnx_export():
        return _pooled(x, half, axis) if better is torch.maximum else -_pooled(-x, half, axis)
    windows = F.pad(x, (half, half, 0, 0) if axis == 3 else (0, 0, half, half), value=never)
    covered, wanted = 1, 2 * half + 1
    while covered < wanted:
        step = min(covered, wanted - covered)
        length = windows.shape[axis] - step
        windows = better(windows.narrow(axis, 0, length), windows.narrow(axis, step, length))
        covered += step
    return windows


def _pooled(x: Tensor, half: int, axis: int) -> Tensor:
    """The highest value; torch and ONNX pad with minus infinity, which never wins."""
    side = 2 * half + 1
    if axis == 3:
        return F.max_pool2d(x, (1, side), stride=1, padding=(0, half))
    return F.max_pool2d(x, (side, 1), stride=1, padding=(half, 0))
