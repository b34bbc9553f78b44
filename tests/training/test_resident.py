"""Photographs that lie on the device give the bits of those that travel to it."""

from __future__ import annotations

import numpy as np
import torch
from tests.training.tiny import tiny_data, tiny_recipe

from leafsight.progress import Silent
from leafsight.training import resident
from leafsight.training.batches import photo_batches
from leafsight.training.resident import free_bytes, resident_pixels

CPU = torch.device("cpu")


def test_only_what_fits_is_moved() -> None:
    images = tiny_data().images
    assert resident_pixels(images, CPU, Silent(), free=2 * images.nbytes - 1) is None
    moved = resident_pixels(images, CPU, Silent(), free=2 * images.nbytes)
    assert moved is not None
    assert np.array_equal(moved.numpy(), images)


def test_it_is_copied_in_blocks() -> None:
    images = tiny_data().images
    resident.COPIED_BYTES, kept = images[0].nbytes * 7, resident.COPIED_BYTES
    try:
        moved = resident_pixels(images, CPU, Silent(), free=10**9)
    finally:
        resident.COPIED_BYTES = kept
    assert moved is not None
    assert np.array_equal(moved.numpy(), images)


def test_a_processor_keeps_them_in_the_file() -> None:
    assert free_bytes(CPU) == 0
    assert resident_pixels(tiny_data().images, CPU, Silent()) is None


def test_batches_are_the_same_bits() -> None:
    data, recipe = tiny_data(), tiny_recipe(augmentation={"preset": "field"})
    moved = torch.from_numpy(data.images.copy())
    here = list(photo_batches(data, recipe, 1, 0, first=0, device=CPU))
    there = list(photo_batches(data, recipe, 1, 0, first=0, device=CPU, resident=moved))
    assert len(here) == len(there) == 5
    for one, other in zip(here, there, strict=True):
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.targets, other.targets)
