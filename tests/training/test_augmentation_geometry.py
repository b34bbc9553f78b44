"""The fused warp, against pictures turned by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from leafsight.training import augmentation_geometry
from leafsight.training.augmentation_geometry import (
    GeometryOptions,
    _seen_from_its_place,
    affine,
    draw_warps,
    pyramid_levels,
    rotations,
    sampling_grid,
    warp_batch,
)
from leafsight.training.draws import Draws

NO_FILL = torch.zeros(1, dtype=torch.bool), torch.zeros(1, 3)


def warped(images: torch.Tensor, warps: torch.Tensor, side_px: int | None = None) -> torch.Tensor:
    count = len(images)
    filled, fill = NO_FILL[0].expand(count), NO_FILL[1].expand(count, 3)
    return warp_batch(images, warps, side_px or images.shape[-1], filled, fill)


def drawn(options: GeometryOptions, count: int = 200) -> torch.Tensor:
    return draw_warps(Draws(torch.Generator().manual_seed(3), count), options)


def test_defaults_are_the_identity() -> None:
    assert torch.allclose(drawn(GeometryOptions(), 3), torch.eye(3).expand(3, 3, 3), atol=1e-6)
    images = torch.rand(2, 3, 16, 16) * 255
    assert torch.allclose(warped(images, drawn(GeometryOptions(), 2)), images, atol=1e-3)


def test_flips_are_exact() -> None:
    images = torch.rand(2, 3, 8, 8)
    options = GeometryOptions(flip_horizontal=1, flip_vertical=0)
    assert torch.allclose(warped(images, drawn(options, 2)), images.flip(3), atol=1e-5)
    options = GeometryOptions(flip_horizontal=0, flip_vertical=1)
    assert torch.allclose(warped(images, drawn(options, 2)), images.flip(2), atol=1e-5)


def test_a_quarter_turn_is_exact() -> None:
    images = torch.rand(1, 3, 8, 8)
    turned = warped(images, rotations(torch.tensor([math.pi / 2])))
    assert torch.allclose(turned, torch.rot90(images, 1, (2, 3)), atol=1e-4)


def test_a_crop_shows_that_part() -> None:
    images = torch.arange(16.0).expand(1, 3, 16, 16).contiguous()
    half = affine(torch.tensor([[0.5, 0.0]]), torch.tensor([[0.5, 1.0]]))
    shown = warped(images, half, 16)
    assert float(shown.min()) == pytest.approx(7.75, abs=0.01)  # the middle, where the right half begins
    assert float(shown.max()) == pytest.approx(15, abs=0.3)


@given(st.floats(0.1, 0.9), st.floats(0.0, 0.09))
def test_crops_stay_inside_the_picture(low: float, more: float) -> None:
    options = GeometryOptions(crop_area=(low, low + more))
    warps = drawn(options)
    corners = torch.tensor([[-1.0, -1, 1], [1, 1, 1], [1, -1, 1], [-1, 1, 1]])
    places = torch.einsum("nij,kj->nki", warps, corners)[..., :2]
    assert float(places.abs().max()) <= 1 + 1e-5
    area = torch.linalg.det(warps[:, :2, :2]).abs()
    assert low - 1e-4 <= float(area.min()) <= float(area.max()) <= low + more + 1e-4


def test_zooming_out_keeps_the_whole_picture_in_the_frame() -> None:
    options = GeometryOptions(zoom_out_probability=1, zoom_out_area=(1.5, 3.0), rotation_probability=0)
    back = torch.linalg.inv(drawn(options))
    corners = torch.tensor([[-1.0, -1, 1], [1, 1, 1]])
    assert float(torch.einsum("nij,kj->nki", back, corners)[..., :2].abs().max()) <= 1 + 1e-5


def test_perspective_divides_by_the_depth() -> None:
    warp = torch.eye(3)[None].clone()
    warp[0, 2, 0] = 0.3
    grid = sampling_grid(warp, 4)[0]
    x, y = grid[1, 3].tolist()
    assert x == pytest.approx(0.75 / (1 + 0.3 * 0.75))
    assert y == pytest.approx(-0.25 / (1 + 0.3 * 0.75))


def test_minified_stripes_are_averaged_not_skipped() -> None:
    stripes = torch.tensor([0.0, 0, 255, 255]).repeat(16).expand(1, 3, 64, 64).contiguous()
    small = warped(stripes, torch.eye(3)[None], 16)
    assert float((small - 127.5).abs().max()) < 1


def test_a_batch_mixes_levels_of_the_pyramid() -> None:
    images = torch.rand(3, 3, 32, 32)
    warps = affine(torch.zeros(3, 2), torch.tensor([[1.0, 1.0], [3.0, 3.0], [1.0, 1.0]]))
    assert pyramid_levels(warps, 1.0).tolist() == [1, 3, 1]
    together = warped(images, warps)
    for i in range(3):
        assert torch.allclose(together[i : i + 1], warped(images[i : i + 1], warps[i : i + 1]), atol=1e-5)


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_pieces_of_any_size_give_the_same_bits(monkeypatch: pytest.MonkeyPatch, kind: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(4)
    images = torch.randint(256, (7, 20, 20, 3), generator=generator, dtype=torch.uint8).permute(0, 3, 1, 2)
    options = GeometryOptions(
        crop_area=(0.3, 3.0), rotation_probability=0.5, rotation_degrees=90, perspective_probability=0.5,
        perspective=0.2,
    )  # fmt: skip
    warps = drawn(options, 7)
    filled, fill = torch.arange(7) % 3 == 0, torch.full((7, 3), 90.0)

    def in_pieces_of(bytes_each: int) -> torch.Tensor:
        monkeypatch.setattr(augmentation_geometry, "PIECE_BYTES", bytes_each)
        return warp_batch(images.to(kind), warps, 12, filled, fill)

    one_by_one, three, whole = (in_pieces_of(size) for size in (1, 3 * 4 * 3 * 20 * 20, 2**30))
    assert one_by_one.dtype == torch.float32
    assert torch.equal(one_by_one, whole)
    assert torch.equal(three, whole)


def test_no_pictures_give_no_pictures() -> None:
    assert warped(torch.empty(0, 3, 16, 16), torch.empty(0, 3, 3), 8).shape == (0, 3, 8, 8)


def test_the_outside_is_filled_only_where_asked() -> None:
    images = torch.full((2, 3, 16, 16), 100.0)
    warps = affine(torch.zeros(2, 2), torch.full((2, 2), 2.0))
    filled = torch.tensor([True, False])
    fill = torch.tensor([[10.0, 20.0, 30.0], [0.0, 0.0, 0.0]])
    shown = warp_batch(images, warps, 16, filled, fill)
    assert shown[0, :, 0, 0].tolist() == [10, 20, 30]
    assert shown[0, :, 8, 8].tolist() == [100, 100, 100]
    assert float((shown[1] - 100).abs().max()) < 1e-3


def test_depth_is_divided_alike_for_the_slanted_and_for_all() -> None:
    """On an accelerator all are divided; those that are not slanted keep their bits."""
    options = GeometryOptions(perspective_probability=0.5, perspective=0.3, rotation_probability=1.0)
    warps = draw_warps(Draws(torch.Generator().manual_seed(2), 40), options)
    slanted = warps[:, 2, :2].abs().amax(1) > 0
    assert 0 < int(slanted.sum()) < 40
    some = sampling_grid(warps, 24)
    line = (torch.arange(24) + 0.5) * (2 / 24) - 1
    across, down = warps[:, :, 0, None] * line, warps[:, :, 1, None] * line + warps[:, :, 2, None]
    flat = torch.stack(
        [across[:, 0, None, :] + down[:, 0, :, None], across[:, 1, None, :] + down[:, 1, :, None]], -1
    )
    assert torch.equal(some, _seen_from_its_place(flat.clone(), across, down, slice(None)))
    assert not torch.equal(some[slanted], flat[slanted])
