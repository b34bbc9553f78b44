"""Our own way from files to batches, one thing added at a time, and what is done once before it.

Enters: a setting. Leaves: the contenders of ``STAGES`` and ``ONCE``. Run as a program it takes turns:
``python -m benchmarks.pipeline_stages NAME SETTING``.
"""

from __future__ import annotations

import random
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.pipeline_naive import augmented, opened
from benchmarks.pipeline_work import ROTATION_DEGREES, Batch, Setting, Step, asked, serve_turns
from PIL import Image
from torch.nn import functional as F

from leafsight.dataset import PhotoIndex, PixelCache, index_photos
from leafsight.errors import validated
from leafsight.images import Preprocessing, prepare_bytes, read_photo
from leafsight.models import ModelOptions, build_network
from leafsight.training import Recipe, TrainingData, augment_batch, keep_freed_memory
from leafsight.training.batches import photo_batches, split_into_batches
from leafsight.training.prefetch import prefetched
from leafsight.training.preparation import INDEX_FILE, cache_contract

GEOMETRY = {"rotation_probability": 1.0, "rotation_degrees": ROTATION_DEGREES}


def recipe_for(side_px: int, batch: int, seed: int) -> Recipe:
    """What the last stage trains with; the others take augmentation and side of the cache from it."""
    values = {
        "recipe": {"name": "pipeline"},
        "seed": seed,
        "batch_size": batch,
        "preprocessing": {"side_px": side_px},
        "augmentation": {"preset": "light", "geometry": GEOMETRY},
        "stages": [{"name": "all", "epochs": 1, "learning_rate": 1e-3}],
    }
    return validated(Recipe, values, "benchmark")


class TorchContender:
    """What all contenders that train with torch share: the step. It is the same for all of them."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        if setting.threads:
            torch.set_num_threads(setting.threads)
        self.paths, self.labels = setting.photographs()
        self.step = cache(self._step)
        self.versions = {
            name: metadata.version(name) for name in ("torch", "numpy", "pillow", "simplejpeg", "leafsight")
        }

    def _step(self, network: str) -> Step:
        torch.manual_seed(self.setting.seed)
        model = build_network(ModelOptions(name=network), self.setting.classes)
        model = model.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        optimizer = torch.optim.AdamW(model.parameters(), 1e-3)

        def step(inputs: torch.Tensor, labels: torch.Tensor) -> None:
            optimizer.zero_grad(set_to_none=True)
            logits = model(inputs.contiguous(memory_format=torch.channels_last))
            F.cross_entropy(logits, labels).backward()
            optimizer.step()

        return step


class OwnStage(TorchContender, ABC):
    """A way of ours: a function from the numbers of some photographs to a batch, and how it is called."""

    ahead = True

    @cached_property
    def targets(self) -> torch.Tensor:
        """Int64 [n]."""
        return torch.tensor(self.labels)

    @cached_property
    def recipe(self) -> Recipe:
        """As a person would write it down."""
        return recipe_for(self.setting.side_px, self.setting.batch, self.setting.seed)

    @cached_property
    def index(self) -> PhotoIndex:
        """Of the photographs."""
        return PhotoIndex.load(Path(self.setting.cache) / INDEX_FILE)

    @cached_property
    def packed(self) -> PixelCache:
        """The packed photographs, in the order of the listing."""
        return PixelCache.open(self.index, Path(self.setting.cache), cache_contract(self.recipe))

    @abstractmethod
    def make(self, item: tuple[int, np.ndarray]) -> Batch:
        """The batch of these photographs; the first number is a seed."""

    def epoch(self, number: int) -> Iterator[Batch]:
        rng = np.random.default_rng((self.setting.seed, number))
        parts = split_into_batches(rng.permutation(len(self.paths)), self.setting.batch)
        items = [(int(rng.integers(2**31)), rows) for rows in parts]
        return prefetched(self.make, items) if self.ahead else map(self.make, items)


class Naive(OwnStage):
    """Opened, decoded and augmented one by one when it is asked for, for every epoch again."""

    ahead = False

    def picture(self, row: int) -> Image.Image:
        """One photograph."""
        return opened(self.paths[row])

    def make(self, item: tuple[int, np.ndarray]) -> Batch:
        seed, rows = item
        draw = random.Random(seed)
        pictures = [augmented(self.picture(row), draw, self.setting.side_px) for row in rows]
        return torch.from_numpy(np.stack(pictures)), self.targets[rows]


class Prefetch(Naive):
    """+ made ahead in a background thread."""

    ahead = True


class Decoder(Prefetch):
    """+ our decoder and resize, to the side of the cache; what is large is decoded at a reduced scale."""

    @cached_property
    def contract(self) -> Preprocessing:
        """Of the packed cache."""
        return cache_contract(self.recipe)

    def picture(self, row: int) -> Image.Image:
        return Image.fromarray(prepare_bytes(read_photo(Path(self.paths[row])), self.contract))


class Packed(Prefetch):
    """+ photographs that were decoded once, in one memory-mapped file."""

    def picture(self, row: int) -> Image.Image:
        return Image.fromarray(self.packed.images[row])


class OnBatch(OwnStage):
    """+ augmentation on the batch."""

    def make(self, item: tuple[int, np.ndarray]) -> Batch:
        seed, rows = item
        pixels = torch.from_numpy(self.packed.images[rows]).permute(0, 3, 1, 2)
        generator = torch.Generator().manual_seed(seed)
        options = self.recipe.augmentation
        return augment_batch(pixels, options, generator, side_px=self.setting.side_px), self.targets[rows]


class AsInTraining(OnBatch):
    """Ours as ``train`` calls it: drawn order, counted seeds, mixing (none here), channels last."""

    @cached_property
    def data(self) -> TrainingData:
        """Every photograph but the last, which is there because training wants one to judge by."""
        count = len(self.paths)
        rows = {"train": np.arange(count), "valid": np.array([count])}
        names = tuple(self.index.classes)
        return TrainingData(self.packed.images[: count + 1], np.array([*self.labels, 0]), rows, names)

    def epoch(self, number: int) -> Iterator[Batch]:
        for batch in photo_batches(self.data, self.recipe, 0, number, first=0, device=torch.device("cpu")):
            yield batch.inputs, batch.targets


class Once(TorchContender):
    """Work that is done once: its epoch gives no batch."""

    def epoch(self, number: int) -> Iterator[Batch]:
        with tempfile.TemporaryDirectory(dir=self.setting.scratch) as folder:
            self.work(Path(folder))
        yield from ()

    def work(self, folder: Path) -> None:
        """Do it, in an empty folder."""
        raise NotImplementedError


class Indexing(Once):
    """Find, hash and describe every photograph."""

    def work(self, folder: Path) -> None:
        index_photos(Path(self.setting.folder)).save(folder / INDEX_FILE)


class Packing(Once):
    """Decode every photograph into the packed cache."""

    def work(self, folder: Path) -> None:
        index = PhotoIndex.load(Path(self.setting.cache) / INDEX_FILE)
        recipe = recipe_for(self.setting.side_px, self.setting.batch, self.setting.seed)
        PixelCache.build(index, folder, cache_contract(recipe))


STAGES: dict[str, Callable[[Setting], Any]] = {
    "naive": Naive,
    "+ prefetch": Prefetch,
    "+ our decoder": Decoder,
    "+ packed cache": Packed,
    "+ augmentation on the batch": OnBatch,
    "as in training": AsInTraining,
}
ONCE: dict[str, Callable[[Setting], Any]] = {"indexing": Indexing, "packing": Packing}


def main() -> None:
    name, setting = asked()
    # For every contender with torch, so that not the allocator is compared.
    keep_freed_memory()
    serve_turns((STAGES | ONCE)[name](setting))


if __name__ == "__main__":
    main()
