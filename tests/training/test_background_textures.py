"""Drawn textures: repeatable, various, of every kind."""

from __future__ import annotations

import numpy as np
import pytest

from leafsight.training.background_textures import _power_noise, draw_textures


def test_seed_fixes_the_pictures_and_each_stands_alone() -> None:
    assert np.array_equal(draw_textures(6, 24, 1), draw_textures(6, 24, 1))
    assert np.array_equal(draw_textures(6, 24, 1)[:3], draw_textures(3, 24, 1))
    assert not np.array_equal(draw_textures(6, 24, 1), draw_textures(6, 24, 2))


def test_textures_differ_in_colour_and_roughness() -> None:
    drawn = draw_textures(60, 32, 0).astype(float)
    assert drawn.shape == (60, 32, 32, 3)
    assert drawn.mean((1, 2, 3)).std() > 25
    rough = np.abs(np.diff(drawn, axis=2)).mean((1, 2, 3))
    assert rough.max() > 8 * rough.min()


def test_power_noise_has_unit_spread_and_falls_with_frequency() -> None:
    noise = _power_noise(np.random.default_rng(0), 64, 1.0)
    assert noise.mean() == pytest.approx(0, abs=1e-4)
    assert noise.std() == pytest.approx(1, abs=1e-4)
    power = np.abs(np.fft.fft(noise, axis=1)).mean(0)
    assert power[1:4].mean() > 4 * power[20:32].mean()


def test_stretched_noise_varies_less_along_its_angle() -> None:
    # A low frequency along the angle counts as a high one, so the noise is smooth there.
    noise = _power_noise(np.random.default_rng(0), 64, 1.2, stretch=8, angle=0)
    assert np.abs(np.diff(noise, axis=1)).mean() < np.abs(np.diff(noise, axis=0)).mean() / 2
