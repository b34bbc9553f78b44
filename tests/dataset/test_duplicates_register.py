"""Registration recovers a known map; agreement sees fine detail and not outlines; maps get their names."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from leafsight.dataset.duplicates import DuplicateOptions
from leafsight.dataset.duplicates.agreement import agreement, smoothed
from leafsight.dataset.duplicates.kinds import Change, change_of, composed_map, inverse_map, kind_of
from leafsight.dataset.duplicates.register import laid, register

SAME = np.eye(2, 3, dtype=np.float32)


def blotches(count: int, seed: int = 0) -> np.ndarray:
    grids = np.random.default_rng(seed).integers(0, 256, (count, 10, 10), dtype=np.uint8)
    big = [np.asarray(Image.fromarray(grid).resize((64, 64), Image.Resampling.BICUBIC)) for grid in grids]
    return np.stack(big).astype(np.float32)


def some_map(angle_deg: float, scale: float, right: float, down: float) -> np.ndarray:
    turn = np.deg2rad(angle_deg)
    rows = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0]]
    found = np.array(rows) * scale
    found[:, 2] = right, down
    return found.astype(np.float32)


def test_the_map_of_nothing_shows_the_picture_itself() -> None:
    ones = blotches(2)
    seen, inside = laid(ones, SAME[None].repeat(2, 0))
    np.testing.assert_allclose(seen.reshape(ones.shape)[:, 1:-1, 1:-1], ones[:, 1:-1, 1:-1], atol=0.3)
    assert inside.all()


@pytest.mark.parametrize("true", [(3, 0.95, 0.02, -0.01), (-4, 0.9, 0.0, 0.03), (0, 1.05, -0.02, 0.0)])
def test_a_known_map_is_recovered(true: tuple[float, float, float, float]) -> None:
    ones, wanted = blotches(4), some_map(*true)[None].repeat(4, 0)
    others = (laid(ones, wanted)[0] * 0.7 + 20).reshape(ones.shape)
    found = register(ones, others, SAME[None].repeat(4, 0), rounds=12)
    np.testing.assert_allclose(found, wanted, atol=0.02)


def test_flat_pictures_do_not_divide_by_zero() -> None:
    flat = np.full((2, 16, 16), 50, np.float32)
    found = register(flat, flat, SAME[None].repeat(2, 0), rounds=3)
    assert np.isfinite(found).all()
    assert agreement(flat, flat, found, 4)[0].max() < 0.1


def test_agreement_of_a_picture_with_itself_and_with_another() -> None:
    ones, others = blotches(3), blotches(3, seed=9)
    maps = SAME[None].repeat(3, 0)
    assert agreement(ones, ones * 0.6 + 30, maps, 8)[0].min() > 0.98
    assert agreement(ones, others, maps, 8)[0].max() < 0.5


def test_an_outline_alone_does_not_agree() -> None:
    down, right = np.mgrid[:64, :64] - 31.5
    outline = np.where(np.hypot(down, right) < 22, 60.0, 200.0).astype(np.float32)[None]
    one, other = outline + 0.15 * blotches(1), outline + 0.15 * blotches(1, seed=4)
    assert agreement(one, other, SAME[None], 8)[0][0] < DuplicateOptions().least_score


def test_the_share_counts_what_both_pictures_show() -> None:
    ones = blotches(1)
    _, whole = agreement(ones, ones, SAME[None], 8)
    _, half = agreement(ones, ones, some_map(0, 1, 0.5, 0)[None], 8)
    assert whole[0] > 0.85
    assert 0.3 < half[0] < 0.55


def test_smoothing_keeps_the_mean() -> None:
    ones = blotches(2)
    assert smoothed(ones).shape == ones.shape
    assert smoothed(ones).mean() == pytest.approx(ones.mean(), abs=1)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (Change(False, 0, 0.3, 1.0, 0.0), "near"),
        (Change(True, 0, 0.0, 1.0, 0.0), "flipped"),
        (Change(True, 2, 0.0, 1.0, 0.0), "flipped"),
        (Change(False, 2, 0.0, 1.0, 0.0), "turned"),
        (Change(True, 1, 0.0, 1.0, 0.0), "turned"),
        (Change(True, 1, 0.0, 0.85, 0.0), "cropped"),
        (Change(False, 0, 0.0, 1.0, 0.05), "cropped"),
        (Change(False, 3, -7.0, 0.9, 0.0), "rotated"),
    ],
)
def test_a_change_gets_one_word(change: Change, kind: str) -> None:
    assert kind_of(change) == kind


def test_a_map_and_its_inverse_leave_everything_where_it_was() -> None:
    mapped = some_map(20, 0.8, 0.1, -0.05)
    np.testing.assert_allclose(composed_map(mapped, inverse_map(mapped)), SAME, atol=1e-6)
    assert change_of(mapped).angle_deg == pytest.approx(-20, abs=0.01)
    assert change_of(mapped).scale == pytest.approx(0.8, abs=0.001)
