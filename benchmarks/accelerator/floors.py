"""The two floors under a training step on an accelerator: its operations and the bytes it must move.

    python -m benchmarks.accelerator.floors [--recipe plant-disease-64 | cifar-10-fast ...] [--batch N]
        [--set KEY=VALUE] [--photos 5842] [--json]

Runs one step of the recipe's last stage on torch's ``meta`` device, where tensors have shapes and no values,
and counts for every operation its arithmetic (``torch.utils.flop_counter``: convolutions and matrix products)
and the bytes of what it reads and writes. No accelerator is needed, and nothing here is a measurement.

- *operations*: arithmetic over the accelerator's dense bf16 peak; nothing can be faster. The backward pass is
  taken for twice the forward one (a product for the inputs' gradient, one for the weights'): torch's counter
  forgets there that depthwise convolutions have groups (2.13).
- *bytes, fused*: weights, gradients and optimiser state once, and every tensor that the backward pass needs
  written once and read once: what perfect fusion would leave.
- *bytes, as torch runs it*: what every operation by itself reads and writes; ``compile`` lies between.

Peaks are those of NVIDIA's data sheets: dense, without sparsity.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from leafsight.models import build_network
from leafsight.training import load_recipe
from leafsight.training.recipe import Recipe
from leafsight.training.stages import choose_trainable

CLASSES = 38
PHOTOS = 5842
"""Photographs that train of the reduced PlantVillage collection (``data/plantvillage``)."""


@dataclass(frozen=True)
class Accelerator:
    """Peaks: dense bf16 operations a second, and bytes a second of its memory."""

    name: str
    operations: float
    bytes: float


ACCELERATORS = (
    Accelerator("A100 SXM 80 GB", 312e12, 2.039e12),
    Accelerator("H100 SXM", 989e12, 3.35e12),
    Accelerator("H200", 989e12, 4.8e12),
)
VIEWS = (
    "view",
    "reshape",
    "expand",
    "permute",
    "transpose",
    "t.",
    "slice",
    "select",
    "detach",
    "unsqueeze",
    "squeeze",
)


@dataclass
class Step:
    """What one step of a batch asks for.

    Attributes:
        batch: photographs.
        operations: additions and multiplications, forward and backward.
        moved_bytes: read and written by all operations by themselves.
        saved_bytes: kept from the forward pass for the backward one.
        state_bytes: weights, gradients and optimiser state.
        kernels: operations that are no views, the optimiser's few fused ones aside.
    """

    batch: int
    operations: int = 0
    moved_bytes: int = 0
    saved_bytes: int = 0
    state_bytes: int = 0
    kernels: int = 0

    @property
    def fused_bytes(self) -> int:
        """With perfect fusion: the saved once out and once in, the state once in and once out."""
        return 2 * self.saved_bytes + 2 * self.state_bytes


class _ByteCounter(TorchDispatchMode):
    def __init__(self, step: Step) -> None:
        super().__init__()
        self._step = step

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        if not any(f".{view}" in f".{function}" for view in VIEWS):
            self._step.kernels += 1
            tensors = [one for one in tree_leaves((args, kwargs, result)) if isinstance(one, Tensor)]
            self._step.moved_bytes += sum(one.numel() * one.element_size() for one in tensors)
        return result


def counted_step(recipe: Recipe, batch: int, classes: int = CLASSES) -> Step:
    """Count one step of the last stage of a recipe."""
    stage, table = recipe.stages[-1], recipe.preprocessing
    step = Step(batch)
    network = build_network(recipe.model, classes, mean=table.mean, std=table.std)
    choose_trainable(network, stage)
    # Autocast knows no meta tensors, so the network itself is in bf16; its state is counted in fp32 below.
    network = network.to("meta", torch.bfloat16, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    side_px = recipe.side_px_of(stage)
    pixels = torch.empty(batch, 3, side_px, side_px, device="meta", dtype=torch.bfloat16)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    labels = torch.empty(batch, dtype=torch.int64, device="meta")
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.device.type == "meta" and not isinstance(tensor, torch.nn.Parameter):
            kept[tensor.untyped_storage()._cdata] = tensor.numel() * tensor.element_size()
        return tensor

    with (
        FlopCounterMode(display=False) as counter,
        _ByteCounter(step),
        torch.autograd.graph.saved_tensors_hooks(keep, _same),
    ):
        loss = torch.nn.functional.cross_entropy(network(pixels).float(), labels)
    with _ByteCounter(step):
        loss.backward()
    step.operations = 3 * counter.get_total_flops()
    step.saved_bytes = sum(kept.values())
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    # Weight and gradient, and what the optimiser remembers of each: two moments of Adam, one of momentum.
    values = 4 if recipe.optimizer_of(stage).name == "adamw" else 3
    step.state_bytes = values * sum(4 * weight.numel() for weight in weights)
    step.moved_bytes += 2 * step.state_bytes
    return step


_same: Callable[[Tensor], Tensor] = lambda tensor: tensor  # noqa: E731


def floors(step: Step, accelerator: Accelerator) -> dict[str, float]:
    """Microseconds a step, and photographs a second at the higher floor."""
    by_operations = step.operations / accelerator.operations
    fused, moved = step.fused_bytes / accelerator.bytes, step.moved_bytes / accelerator.bytes
    return {
        "operations_us": by_operations * 1e6,
        "fused_bytes_us": fused * 1e6,
        "moved_bytes_us": moved * 1e6,
        "photographs_per_s": step.batch / max(by_operations, fused),
        "photographs_per_s_unfused": step.batch / max(by_operations, moved),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", default="plant-disease-64")
    parser.add_argument("--set", dest="changes", action="append", default=[])
    parser.add_argument("--batch", type=int)
    parser.add_argument("--photos", type=int, default=PHOTOS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    recipe = load_recipe(options.recipe, options.changes)
    step = counted_step(recipe, options.batch or recipe.batch_size)
    rows = {one.name: floors(step, one) for one in ACCELERATORS}
    if options.json:
        json.dump({"step": asdict(step), "floors": rows}, sys.stdout, indent=2)
        print()
        return
    each = step.batch
    print(
        f"{options.recipe}, batch {each}: {step.operations / each / 1e6:.1f} million operations, "
        f"{step.fused_bytes / each / 1e6:.2f} MB fused and {step.moved_bytes / each / 1e6:.2f} MB "
        f"as torch runs it a photograph; {step.kernels} kernels a step"
    )
    print(
        "| accelerator | operations, µs | bytes fused, µs | as torch runs it, µs | photographs/s | epoch, s |"
    )
    print("|---|---|---|---|---|---|")
    for name, row in rows.items():
        epoch_s = options.photos / row["photographs_per_s"]
        print(
            f"| {name} | {row['operations_us']:.0f} | {row['fused_bytes_us']:.0f} "
            f"| {row['moved_bytes_us']:.0f} | {row['photographs_per_s']:,.0f} | {epoch_s:.3f} |"
        )


if __name__ == "__main__":
    main()
