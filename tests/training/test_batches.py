from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.training.tiny import plain_stage, tiny_data, tiny_recipe

from leafsight.training.batches import Pictures, batch_count, epoch_rows, photo_batches, split_into_batches

CPU = torch.device("cpu")


@given(st.integers(1, 300), st.integers(1, 100))
def test_batches_hold_everything_and_differ_by_one_at_most(photos: int, size: int) -> None:
    parts = split_into_batches(np.arange(photos), size)
    assert np.array_equal(np.concatenate(parts), np.arange(photos))
    assert len(parts) == batch_count(photos, size)
    sizes = [len(part) for part in parts]
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1


def test_the_order_is_of_its_stage_and_epoch() -> None:
    data, recipe = tiny_data(), tiny_recipe()
    orders = [
        epoch_rows(data, recipe, stage, epoch) for stage, epoch in itertools.product(range(2), range(2))
    ]
    for order in orders:
        assert sorted(order) == sorted(data.train_rows)
    for one, other in itertools.combinations(orders, 2):
        assert not np.array_equal(one, other)
    assert np.array_equal(orders[3], epoch_rows(data, recipe, 1, 1))


def test_an_epoch_begun_in_the_middle_gives_the_same_batches() -> None:
    data = tiny_data()
    recipe = tiny_recipe(stages=[plain_stage()], mixing={"mixup_probability": 0.5})
    whole = list(photo_batches(data, recipe, 0, 1, first=0, device=CPU))
    rest = list(photo_batches(data, recipe, 0, 1, first=3, device=CPU))
    assert [batch.index for batch in whole] == list(range(5))
    assert [batch.index for batch in rest] == [3, 4]
    for one, other in zip(whole[3:], rest, strict=True):
        assert np.array_equal(one.rows, other.rows)
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.targets, other.targets)
    again = next(photo_batches(data, recipe, 0, 0, first=3, device=CPU))
    assert not torch.equal(again.inputs, rest[0].inputs)


@pytest.mark.parametrize("channels_last", [True, False])
def test_what_a_batch_looks_like(channels_last: bool) -> None:
    data, recipe = tiny_data(), tiny_recipe(channels_last=channels_last)
    batch = next(photo_batches(data, recipe, 1, 0, first=0, device=CPU))
    assert batch.inputs.shape == (8, 3, 16, 16)
    assert batch.inputs.dtype == torch.float32
    wanted = torch.channels_last if channels_last else torch.contiguous_format
    assert batch.inputs.is_contiguous(memory_format=wanted)
    assert 0 <= batch.inputs.min() <= batch.inputs.max() <= 255
    assert batch.targets.argmax(1).tolist() == data.labels[batch.rows].tolist()


def test_a_stage_may_train_on_smaller_pictures_than_the_recipe_is_used_with() -> None:
    data = tiny_data()
    recipe = tiny_recipe(stages=[plain_stage(name="small", side_px=12), plain_stage()])
    sides = [
        next(photo_batches(data, recipe, stage, 0, first=0, device=CPU)).inputs.shape for stage in (0, 1)
    ]
    assert sides == [(8, 3, 12, 12), (8, 3, 16, 16)]


def test_plain_pictures_at_the_same_side_are_the_pixels_themselves() -> None:
    data = tiny_data(side_px=16)
    rows = np.array([5, 2])
    pixels = Pictures(data, tiny_recipe(), CPU).plain(rows)
    assert torch.equal(pixels, torch.from_numpy(data.images[rows]).permute(0, 3, 1, 2).float())


def test_plain_pictures_are_reduced_without_being_moved() -> None:
    data = tiny_data(side_px=32)
    data.images[:] = 10
    data.images[:, :16] = 200
    pixels = Pictures(data, tiny_recipe(), CPU).plain(np.array([0]))
    assert pixels.shape == (1, 3, 16, 16)
    assert torch.allclose(pixels[:, :, :6], torch.tensor(200.0), atol=1.0)
    assert torch.allclose(pixels[:, :, 10:], torch.tensor(10.0), atol=1.0)
