"""Discs and the descriptors made of them do not see turning, mirroring or contrast."""

from __future__ import annotations

import numpy as np
import pytest

from leafsight.dataset.duplicates import descriptors
from leafsight.dataset.duplicates.descriptors import (
    LUMA,
    WHOLE,
    coefficients,
    features,
    fit_projection,
    many_features,
    planes,
)
from leafsight.dataset.duplicates.discs import ORDER, View, disc, views, waves

PICTURES = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8).repeat(4, 1).repeat(4, 2)


def turned(pictures: np.ndarray, quarter: int, mirrored: bool) -> np.ndarray:
    seen = pictures[:, :, ::-1] if mirrored else pictures
    return np.rot90(seen, quarter, (1, 2))


@pytest.mark.parametrize("quarter", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_turning_and_mirroring_leave_the_features(quarter: int, mirrored: bool) -> None:
    plain = features(planes(PICTURES), WHOLE)
    changed = features(planes(turned(PICTURES, quarter, mirrored)), WHOLE)
    np.testing.assert_allclose(changed, plain, atol=1e-4)


def test_many_views_at_once_are_the_views_one_by_one() -> None:
    together = many_features(planes(PICTURES), views())
    for number, view in enumerate(views()):
        np.testing.assert_allclose(together[:, number].T, features(planes(PICTURES), view), atol=1e-5)


@pytest.mark.parametrize("at_once", [5, 256])
def test_planes_are_means_of_four_pixels(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "IN_CACHE", at_once)
    given = np.random.default_rng(1).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    red, green, blue = np.moveaxis(given.reshape(12, 16, 2, 16, 2, 3).mean((2, 4)).reshape(12, 256, 3), -1, 0)
    luma = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    expected = np.stack([luma, red - green, blue - (red + green) / 2])
    np.testing.assert_allclose(planes(given), expected, atol=1e-3)
    np.testing.assert_allclose(planes(given.astype(np.float32)), expected, atol=1e-3)


def test_contrast_and_brightness_hardly_move_coefficients() -> None:
    luma = planes(PICTURES)[0]
    np.testing.assert_allclose(coefficients(0.5 * luma + 40, WHOLE), coefficients(luma, WHOLE), atol=0.03)


def test_a_flat_picture_has_no_coefficients() -> None:
    flat = planes(np.full((1, 32, 32, 3), 90, np.uint8))
    np.testing.assert_allclose(coefficients(flat[0], WHOLE), 0, atol=1e-3)
    assert np.isfinite(features(flat, WHOLE)).all()


def test_the_columns_of_a_disc_do_not_see_the_mean() -> None:
    one = disc(View(0.8, 0.1, -0.05))
    np.testing.assert_allclose(one.luma.sum(0), 0, atol=1e-5)
    assert one.mean.sum() == pytest.approx(1, abs=1e-5)
    assert one.luma.shape[1] == len(waves(ORDER))


def test_views_begin_with_the_whole_and_stay_inside() -> None:
    seen = views()
    assert seen[0] == WHOLE
    assert len(seen) == len(set(seen)) == 35
    for view in seen:
        assert abs(view.right) + view.scale / 2 <= 0.5 + 1e-9
        assert abs(view.down) + view.scale / 2 <= 0.5 + 1e-9


def test_small_changes_have_variance_one_after_projection() -> None:
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 256, (200, 8, 8, 3), dtype=np.uint8).repeat(4, 1).repeat(4, 2)
    projection = fit_projection(pictures)
    seen = planes(pictures)
    moved = features(seen, View(1.02, 0.02, -0.02)) @ projection - features(seen, WHOLE) @ projection
    assert 0.1 < (moved**2).mean() < 5
    between = features(seen, WHOLE) @ projection
    assert between.var(0).sum() > 5 * (moved**2).mean(0).sum()


def test_the_projection_is_repeatable_and_works_for_two_pictures() -> None:
    assert np.array_equal(fit_projection(PICTURES), fit_projection(PICTURES))
    assert np.isfinite(fit_projection(PICTURES[:2])).all()
