from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.fakes.tiny_bundle import GREEN, GREY, RED, coloured, tiny_numpy, tiny_weights

from leafsight.images import Preprocessing
from leafsight.inference import BundlePredictor, activation_map
from leafsight.inference.heatmap import FINE_CELLS, normalised_map, onto_photo


def test_the_mean_of_the_map_and_the_bias_are_the_logit() -> None:
    batch = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    logits, _, feature_map = tiny_numpy(batch)
    weights = tiny_weights()
    for row in range(3):
        for number in range(4):
            evidence = activation_map(feature_map[row], weights["dense_w"][number])
            assert evidence.shape == (4, 4)
            assert evidence.mean() + weights["dense_b"][number] == pytest.approx(
                logits[row, number], abs=1e-5
            )


def test_normalised_maps_are_from_0_to_1() -> None:
    np.testing.assert_allclose(normalised_map(np.array([[-3.0, 1.0], [2.0, 4.0]])), [[0, 0.25], [0.5, 1]])
    np.testing.assert_array_equal(normalised_map(np.array([[-3.0, -1.0]])), [[0, 0]])


def test_a_squashed_whole_photograph_needs_no_moving() -> None:
    heat = np.random.default_rng(0).random((7, 7), np.float32)
    assert onto_photo(heat, Preprocessing(), 300, 400) is heat


def test_what_the_network_did_not_see_is_cold() -> None:
    heat = np.ones((7, 7), np.float32)
    found = onto_photo(heat, Preprocessing(resize="crop"), height_px=100, width_px=200)
    quarter = FINE_CELLS // 4
    assert found.shape == (FINE_CELLS, FINE_CELLS)
    assert found[:, :quarter].max() == found[:, -quarter:].max() == 0
    np.testing.assert_allclose(found[:, quarter:-quarter], 1)
    found = onto_photo(heat, Preprocessing(crop_fraction=0.5), 100, 200)
    assert found[:quarter].max() == found[-quarter:].max() == found[:, :quarter].max() == 0
    np.testing.assert_allclose(found[quarter:-quarter, quarter:-quarter], 1)


def test_the_padding_of_a_letterbox_is_left_out() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[[0, 3]] = 1  # hot only in the padding above and below a photograph twice as wide as high
    found = onto_photo(heat, Preprocessing(resize="letterbox"), height_px=100, width_px=200)
    assert found.shape == (FINE_CELLS, FINE_CELLS)
    assert found[FINE_CELLS // 4 : -FINE_CELLS // 4].max() == 0
    assert found.max() <= 0.5


def test_a_moved_map_keeps_its_place() -> None:
    heat = np.zeros((8, 8), np.float32)
    heat[2, 6] = 1
    found = onto_photo(heat, Preprocessing(resize="crop"), height_px=200, width_px=100)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert (row + 0.5) / FINE_CELLS == pytest.approx(0.25 + 0.5 * 2.5 / 8, abs=0.03)
    assert (column + 0.5) / FINE_CELLS == pytest.approx(6.5 / 8, abs=0.03)


def test_the_heat_is_where_the_colour_is(predictor: BundlePredictor) -> None:
    photo = coloured(GREY)
    photo[:32, 32:] = coloured(RED)[:32, 32:]
    photo[:32, :32] = coloured((230, 20, 20))[:32, :32]
    (one,) = predictor.predict([photo], heatmap=True)
    assert one.heatmap is not None
    assert one.top[0].key == "apple/scab"
    hot = one.heatmap > 0.5
    assert hot[:2, :2].all()
    assert not hot[2:].any()
    np.testing.assert_array_equal(one.heatmap.argmax() // 4 < 2, True)


def test_the_heat_is_that_of_the_numpy_network(predictor: BundlePredictor) -> None:
    square = coloured(GREEN, side=16)
    (one,) = predictor.predict([square], heatmap=True)
    feature_map = tiny_numpy(square[None])[2][0]
    evidence = np.tensordot(tiny_weights()["dense_w"][1], feature_map, axes=1)
    np.testing.assert_allclose(one.heatmap, np.maximum(evidence, 0) / evidence.max(), atol=1e-5)


def test_a_deeper_head_has_no_heatmap(build: Callable[..., BundlePredictor]) -> None:
    predictor = build(cam_weight=None, cam_bias=None)
    assert not predictor.explains
    assert predictor.predict([coloured(RED)], heatmap=True)[0].heatmap is None
