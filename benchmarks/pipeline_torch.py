"""The peers that are made of torch's own parts: ``DataLoader`` over photographs that are opened one by one.

Enters: a setting. Leaves: the contenders of ``PEERS``. Those of torchvision need it on the path; ``--setup``
installs the version for our torch. Run as a program it takes turns:
``python -m benchmarks.pipeline_torch NAME SETTING``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from typing import Any

import numpy as np
import torch
from benchmarks.pipeline_naive import augmented, opened
from benchmarks.pipeline_stages import TorchContender
from benchmarks.pipeline_work import (
    BRIGHTNESS,
    COLOUR_PROBABILITY,
    CONTRAST,
    CROP_AREA,
    CROP_RATIO,
    FLIP_PROBABILITY,
    ROTATION_DEGREES,
    SATURATION,
    Batch,
    Setting,
    asked,
    serve_turns,
)
from torch.utils.data import DataLoader, Dataset

from leafsight.training import keep_freed_memory

Change = Callable[[Any], torch.Tensor]


class Photographs(Dataset[tuple[torch.Tensor, int]]):
    """What ``ImageFolder`` is: paths, labels, and a function for each picture."""

    def __init__(self, paths: list[str], labels: list[int], change: Change) -> None:
        self.paths, self.labels, self.change = paths, labels, change

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        return self.change(opened(self.paths[row])), self.labels[row]


class Loader(TorchContender):
    """``DataLoader``, shuffled, with as many processes as ``workers``."""

    def __init__(self, setting: Setting, workers: int, with_torchvision: bool = False) -> None:
        super().__init__(setting)
        self._workers = workers
        change = torchvision_change(setting.side_px) if with_torchvision else pillow_change(setting.side_px)
        self._photographs = Photographs(self.paths, self.labels, change)
        if with_torchvision:
            self.versions["torchvision"] = metadata.version("torchvision")

    def epoch(self, number: int) -> Iterator[Batch]:
        torch.manual_seed(self.setting.seed + number)
        return iter(
            DataLoader(self._photographs, self.setting.batch, shuffle=True, num_workers=self._workers)
        )


def pillow_change(side_px: int) -> Change:
    """The same function as in the naive way."""

    def change(image: Any) -> torch.Tensor:
        draw = random.Random(int(torch.randint(2**31, ())))
        return torch.from_numpy(np.ascontiguousarray(augmented(image, draw, side_px)))

    return change


def torchvision_change(side_px: int) -> Change:
    """The transforms of torchvision that come nearest, on Pillow's pictures as ``ImageFolder`` gives them."""
    v2 = import_transforms()
    colours = v2.ColorJitter(BRIGHTNESS, CONTRAST, SATURATION)
    changed: Change = v2.Compose(
        [
            v2.RandomResizedCrop(side_px, CROP_AREA, CROP_RATIO),
            v2.RandomHorizontalFlip(FLIP_PROBABILITY),
            v2.RandomVerticalFlip(FLIP_PROBABILITY),
            v2.RandomRotation(ROTATION_DEGREES, v2.InterpolationMode.BILINEAR),
            v2.RandomApply([colours], COLOUR_PROBABILITY),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )
    return changed


def import_transforms() -> Any:
    """``torchvision.transforms.v2``, also where its compiled part does not fit to a torch without CUDA.

    That part is not needed here, but the import asks for two of its operators by name. Their signatures are
    enough (FACTS 1.1).
    """
    try:
        from torchvision.transforms import v2
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        _declare_operators()
        from torchvision.transforms import v2
    return v2


def _declare_operators() -> None:
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _KEPT.append(library)


_KEPT: list[Any] = []  # a library that is collected takes its operators with it

PEERS: dict[str, Callable[[Setting], Any]] = {
    "DataLoader, Pillow": partial(Loader, workers=0),
    "DataLoader, Pillow, 2 processes": partial(Loader, workers=2),
    "torchvision": partial(Loader, workers=0, with_torchvision=True),
    "torchvision, 2 processes": partial(Loader, workers=2, with_torchvision=True),
}


def main() -> None:
    name, setting = asked()
    keep_freed_memory()
    serve_turns(PEERS[name](setting))


if __name__ == "__main__":
    main()
