"""Separable resampling as matrices, against direct computation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from leafsight.training.resampling import (
    apply_separable,
    blur_matrices,
    gaussian_matrices,
    resolution_loss_matrices,
)


def test_apply_is_rows_then_columns() -> None:
    images = torch.rand(2, 3, 5, 7)
    rows, columns = torch.rand(2, 4, 5), torch.rand(2, 6, 7)
    expected = torch.einsum("nij,ncjk,nlk->ncil", rows, images, columns)
    assert torch.allclose(apply_separable(images, rows, columns), expected, atol=1e-5)


def test_apply_takes_channels_last_pictures() -> None:
    images, rows, columns = torch.rand(2, 3, 8, 8), torch.rand(2, 8, 8), torch.rand(2, 8, 8)
    last = images.contiguous(memory_format=torch.channels_last)
    assert torch.allclose(apply_separable(last, rows, columns), apply_separable(images, rows, columns))


@given(st.floats(0.3, 6), st.integers(8, 40))
def test_every_row_of_every_matrix_keeps_a_flat_picture_flat(value: float, size: int) -> None:
    values = torch.tensor([value])
    for matrix in (
        blur_matrices(values, size),
        resolution_loss_matrices(1 + values, size),
        gaussian_matrices(torch.tensor([0.2]), torch.tensor([-0.5]), values, size, size + 3),
    ):
        assert torch.allclose(matrix.sum(-1), torch.ones_like(matrix.sum(-1)), atol=1e-5)
        assert float(matrix.min()) >= 0


def test_blur_is_a_gaussian_of_the_stated_width() -> None:
    middle = blur_matrices(torch.tensor([2.0]), 41)[0, 20]
    offsets = torch.arange(41) - 20
    assert math.sqrt(float((middle * offsets**2).sum())) == pytest.approx(2.0, abs=0.01)
    assert float(middle[20] / middle[22]) == pytest.approx(math.exp(0.5), rel=1e-4)


def test_no_blur_leaves_the_line_as_it_is() -> None:
    assert torch.allclose(blur_matrices(torch.zeros(1), 16)[0], torch.eye(16), atol=1e-6)


def test_resolution_loss_of_one_changes_nothing() -> None:
    assert torch.allclose(resolution_loss_matrices(torch.ones(2), 16)[1], torch.eye(16), atol=1e-6)


def test_resolution_loss_removes_stripes_and_keeps_broad_waves() -> None:
    matrix = resolution_loss_matrices(torch.tensor([4.0]), 64)[0]
    stripes = torch.tensor([1.0, -1.0]).repeat(32)
    wave = torch.sin(torch.arange(64) / 64 * 2 * math.pi)
    assert float((matrix @ stripes)[8:-8].abs().max()) < 0.05
    assert float((matrix @ wave - wave).abs().max()) < 0.2


def test_pictures_of_one_batch_lose_different_resolution() -> None:
    both = resolution_loss_matrices(torch.tensor([1.5, 3.0]), 32)
    alone = resolution_loss_matrices(torch.tensor([3.0]), 32)
    assert torch.allclose(both[1], alone[0], atol=1e-6)
    assert not torch.allclose(both[0], both[1], atol=1e-2)


def test_a_window_is_cut_where_it_is_and_mirrored_when_negative() -> None:
    line = torch.arange(32.0)
    right = gaussian_matrices(torch.tensor([0.5]), torch.tensor([0.5]), torch.zeros(1), 32, 16)[0] @ line
    mirrored = gaussian_matrices(torch.tensor([0.5]), torch.tensor([-0.5]), torch.zeros(1), 32, 16)[0] @ line
    assert np.allclose(right[1:-1], torch.arange(17.0, 31), atol=0.1)
    assert torch.allclose(mirrored, right.flip(0), atol=1e-4)
