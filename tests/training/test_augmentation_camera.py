"""Softness, noise, covered parts and swapped amplitudes."""

from __future__ import annotations

import pytest
import torch

from leafsight.training.augmentation_camera import (
    CameraOptions,
    add_noise,
    compress,
    cover,
    cover_one_by_one,
    erase,
    soften,
    swap_amplitudes,
)
from leafsight.training.draws import Draws


def draws(count: int, seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), count)


def pictures(count: int = 8) -> torch.Tensor:
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(5)) * 255


def roughness(images: torch.Tensor) -> torch.Tensor:
    return (images[..., 1:] - images[..., :-1]).square().mean((1, 2, 3))


@pytest.mark.parametrize("operation", [soften, add_noise, erase, swap_amplitudes, compress])
def test_defaults_change_nothing(operation) -> None:  # type: ignore[no-untyped-def]
    images = pictures()
    assert torch.equal(operation(images.clone(), draws(8), CameraOptions()), images)


def test_blur_smooths_and_keeps_the_mean() -> None:
    options = CameraOptions(blur_probability=1, blur_sigma_px=(1.0, 1.5))
    blurred = soften(pictures(), draws(8), options)
    assert (roughness(blurred) < roughness(pictures()) / 5).all()
    assert torch.allclose(blurred.mean((1, 2, 3)), pictures().mean((1, 2, 3)), rtol=0.03)


def test_resolution_loss_smooths_only_the_chosen() -> None:
    options = CameraOptions(resolution_probability=0.5, resolution_factor=(2.0, 3.0))
    changed = soften(pictures(100), draws(100), options)
    smoother = roughness(changed) < roughness(pictures(100)) / 2
    untouched = (changed == pictures(100)).flatten(1).all(1)
    assert (smoother ^ untouched).all()
    assert 0.35 < float(smoother.float().mean()) < 0.65


def test_noise_has_the_stated_size_at_mid_grey() -> None:
    images = torch.full((64, 3, 32, 32), 128.0)
    noisy = add_noise(images.clone(), draws(64), CameraOptions(noise_probability=1, noise=(7.0, 7.0)))
    spread = (noisy - images).std((1, 2, 3))
    assert spread.mean() == pytest.approx(7, abs=0.2)
    dark = add_noise(
        torch.zeros(64, 3, 32, 32), draws(64), CameraOptions(noise_probability=1, noise=(7.0, 7.0))
    )
    still = dark.std((1, 2, 3)) < 0.01  # shot noise alone is nothing in the dark
    assert 0.3 < float(still.float().mean()) < 0.7


def test_erasing_covers_one_rectangle_of_the_stated_area() -> None:
    images = torch.full((200, 3, 64, 64), -1.0)
    covered = erase(images, draws(200), CameraOptions(erase_probability=1, erase_area=(0.1, 0.2))) >= 0
    area = covered[:, 0].float().mean((1, 2))
    assert 0.085 < float(area.min()) < float(area.max()) < 0.22
    rows, columns = covered[:, 0].any(2).sum(1), covered[:, 0].any(1).sum(1)
    assert torch.equal(rows * columns, covered[:, 0].sum((1, 2)))  # a full rectangle


def test_swapped_amplitudes_move_the_mean_and_keep_the_detail() -> None:
    images = torch.cat([pictures(1) * 0.3, pictures(1) * 0.3 + 170])
    options = CameraOptions(fourier_probability=1, fourier_band=0.01, fourier_strength=(1.0, 1.0))
    swapped = swap_amplitudes(images.clone(), draws(2), options)
    means = images.mean((1, 2, 3))
    assert torch.allclose(swapped.mean((1, 2, 3)), means.flip(0), rtol=0.02)
    detail = images - images.mean((2, 3), keepdim=True)
    kept = swapped - swapped.mean((2, 3), keepdim=True)
    assert float((kept * detail).sum() / (kept.norm() * detail.norm())) > 0.95


def test_a_batch_of_one_has_nobody_to_swap_with() -> None:
    options = CameraOptions(fourier_probability=1, fourier_strength=(1.0, 1.0))
    assert torch.allclose(swap_amplitudes(pictures(1), draws(1), options), pictures(1), atol=0.01)


def test_compression_changes_the_chosen_only() -> None:
    options = CameraOptions(jpeg_probability=0.5, jpeg_quality=(20, 40))
    changed = (compress(pictures(60), draws(60), options) != pictures(60)).flatten(1).any(1)
    assert 0.3 < float(changed.float().mean()) < 0.7


def test_boxes_are_painted_alike_one_by_one_and_all_at_once() -> None:
    generator = torch.Generator().manual_seed(4)
    images = torch.rand(6, 3, 20, 30, generator=generator)
    colours = torch.rand(6, 3, generator=generator)
    boxes = torch.tensor(
        [[0, 20, 0, 30], [3, 9, 4, 11], [0, 0, 0, 0], [19, 20, 29, 30], [0, 1, 0, 1], [5, 6, 0, 30]]
    )
    one_by_one = cover_one_by_one(images.clone(), boxes, colours)
    assert torch.equal(one_by_one, cover(images.clone(), boxes, colours))
    assert torch.equal(one_by_one[2], images[2])
    assert torch.equal(one_by_one[0], colours[0][:, None, None].expand(3, 20, 30))
    assert not torch.equal(one_by_one[1], images[1])
