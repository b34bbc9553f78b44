"""Measures of light and colour, against the slow and plain way."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from tests.images.drawn_pictures import drawn

from leafsight.images import draw_sketch, measure_appearance
from leafsight.images.appearance import MEASURES


def measures(picture: np.ndarray) -> dict[str, float]:
    sketch = draw_sketch(picture)
    found = measure_appearance(sketch.grey[None], sketch.rgb[None])
    return {name: float(values[0]) for name, values in found.items()}


def painted(*colours: tuple[int, int, int]) -> np.ndarray:
    """Vertical stripes of equal width on a square."""
    columns = np.array([colours[at * len(colours) // 64] for at in range(64)], np.uint8)
    return np.broadcast_to(columns, (64, 64, 3)).copy()


def test_against_the_plain_way():
    sketch = draw_sketch(drawn(128, 128))
    found = measures(drawn(128, 128))
    grey = sketch.grey / 255
    counts = np.bincount(sketch.grey.ravel(), minlength=256) / sketch.grey.size
    assert found["brightness"] == pytest.approx(grey.mean(), abs=1e-5)
    assert found["contrast"] == pytest.approx(grey.std(), abs=1e-4)
    assert found["entropy_bits"] == pytest.approx(
        -(counts[counts > 0] * np.log2(counts[counts > 0])).sum(), abs=1e-4
    )
    hsv = [colorsys.rgb_to_hsv(*(pixel / 255))[1] for pixel in sketch.rgb.reshape(-1, 3)]
    assert found["saturation"] == pytest.approx(np.mean(hsv), abs=1e-5)
    assert found["highlight"] == pytest.approx(np.quantile(grey, 0.99, method="inverted_cdf"), abs=1e-5)
    assert found["shadow"] == pytest.approx(np.quantile(grey, 0.05, method="inverted_cdf"), abs=1e-5)
    means = [found[f"mean_{colour}"] for colour in ("red", "green", "blue")]
    assert means == pytest.approx((sketch.rgb / 255).mean(axis=(0, 1)), abs=1e-5)


def test_many_at_once_are_as_one_by_one():
    pictures = [drawn(128, 128), painted((0, 0, 0)), painted((255, 255, 255), (10, 200, 30))]
    sketches = [draw_sketch(picture) for picture in pictures]
    together = measure_appearance(np.stack([s.grey for s in sketches]), np.stack([s.rgb for s in sketches]))
    assert set(together) == set(MEASURES)
    for number, picture in enumerate(pictures):
        for name, value in measures(picture).items():
            assert together[name][number] == pytest.approx(value, abs=1e-6), name


def test_half_green_and_half_brown():
    found = measures(painted((60, 140, 40), (150, 100, 40)))
    assert found["green_share"] == pytest.approx(0.5)
    assert found["lesion_share"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    "colour", [(128, 128, 128), (200, 200, 230), (0, 0, 0), (255, 255, 255), (120, 60, 160)]
)
def test_paper_and_shadow_are_no_plant(colour):
    found = measures(painted(colour))
    assert (found["green_share"], found["lesion_share"]) == (0.0, 0.0)


def test_dark_and_bright_shares():
    found = measures(painted((0, 0, 0), (128, 128, 128), (255, 255, 255), (255, 255, 255)))
    assert (found["dark_share"], found["bright_share"]) == (pytest.approx(0.25), pytest.approx(0.5))


def test_no_photographs_give_no_measures():
    empty = measure_appearance(np.zeros((0, 64, 64), np.uint8), np.zeros((0, 32, 32, 3), np.uint8))
    assert all(len(values) == 0 for values in empty.values())
