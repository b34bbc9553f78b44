from __future__ import annotations

import numpy as np
import pytest
from tests.images.drawn_pictures import drawn

from leafsight.images import overlay_heatmap
from leafsight.images.heatmap import ANCHORS
from leafsight.images.lab import to_lab


def test_what_is_cold_stays_as_photographed():
    rgb = drawn()
    found = overlay_heatmap(rgb, np.zeros((7, 7), np.float32))
    assert (found == rgb).all()
    assert found is not rgb


def test_the_hot_place_is_coloured_and_the_far_corner_is_not():
    rgb = drawn(140, 140)
    heat = np.zeros((7, 7), np.float32)
    heat[1, 5] = 1
    changed = np.abs(overlay_heatmap(rgb, heat).astype(int) - rgb).sum(axis=2)
    assert changed[30, 110] > 100
    assert changed[100:, :60].max() == 0


def test_lightness_rises_evenly_with_the_value():
    lightness = to_lab(ANCHORS[None].astype(np.uint8))[0, :, 0]
    steps = np.diff(lightness)
    assert steps.min() > 0
    assert steps.max() < 2.5 * np.median(steps)


def test_values_outside_are_cut_and_doubles_are_taken():
    rgb = drawn()
    hot = overlay_heatmap(rgb, np.full((2, 3), 7.0))
    assert (hot == overlay_heatmap(rgb, np.ones((2, 3), np.float32))).all()
    assert (overlay_heatmap(rgb, np.full((2, 3), -7.0)) == rgb).all()


def test_strength_one_covers_all():
    found = overlay_heatmap(drawn(), np.ones((3, 3), np.float32), strength=1.0)
    assert (found == ANCHORS[-1].astype(np.uint8)).all()


def test_heat_that_is_not_finite_is_a_bug():
    with pytest.raises(ValueError, match="finite"):
        overlay_heatmap(drawn(), np.full((3, 3), np.nan))
