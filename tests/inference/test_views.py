from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.fakes.tiny_bundle import RED, SIDE, coloured, tiny_numpy

from leafsight.errors import UsageError
from leafsight.images import Preprocessing
from leafsight.inference import MAX_VIEWS, BundlePredictor, NetworkOutputs, make_views, mean_over_views

PREPROCESSING = Preprocessing(side_px=SIDE)


def squares(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8)


def test_the_first_view_is_the_photograph_itself() -> None:
    batch = squares(3)
    for count in range(1, MAX_VIEWS + 1):
        found = make_views(batch, count, PREPROCESSING)
        assert found.shape == (3 * count, SIDE, SIDE, 3)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found[:3], batch)


def test_views_are_mirrored_closer_and_turned() -> None:
    batch = squares(2)
    blocks = make_views(batch, 8, PREPROCESSING).reshape(8, 2, SIDE, SIDE, 3)
    np.testing.assert_array_equal(blocks[1], batch[:, :, ::-1])
    np.testing.assert_array_equal(blocks[3], blocks[2][:, :, ::-1])
    np.testing.assert_array_equal(blocks[4], batch[:, ::-1])
    np.testing.assert_array_equal(blocks[5], batch[:, ::-1, ::-1])
    np.testing.assert_array_equal(blocks[6], blocks[2][:, ::-1])
    np.testing.assert_array_equal(blocks[7], blocks[2][:, ::-1, ::-1])
    assert len({block.tobytes() for block in blocks}) == MAX_VIEWS == 8
    edge = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    edge[0, 0] = 255  # a line at the very top is outside of the closer view
    assert make_views(edge, 3, PREPROCESSING)[2].max() == 0


def test_the_mean_is_taken_photograph_by_photograph() -> None:
    values = np.arange(12, dtype=np.float32).reshape(6, 2)  # 3 views of 2 photographs
    np.testing.assert_array_equal(mean_over_views(values, 3), [[4, 5], [6, 7]])
    assert mean_over_views(values, 1) is values


@pytest.mark.parametrize("count", [0, -1, MAX_VIEWS + 1])
def test_other_numbers_of_views_are_refused(count: int, build: Callable[..., BundlePredictor]) -> None:
    with pytest.raises(UsageError, match="test_time_views"):
        make_views(squares(1), count, PREPROCESSING)
    with pytest.raises(UsageError, match="test_time_views"):
        build(test_time_views=count)


@pytest.mark.parametrize("count", [2, 3, 8])
def test_a_predictor_averages_the_logits_of_its_views(
    count: int, build: Callable[..., BundlePredictor]
) -> None:
    batch = squares(5)
    found = build(test_time_views=count).scores(batch)
    views = make_views(batch, count, PREPROCESSING)
    logits, embedding, _ = tiny_numpy(views)
    np.testing.assert_allclose(found.logits, logits.reshape(count, 5, -1).mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.embedding, embedding.reshape(count, 5, -1).mean(axis=0), atol=1e-5)


def test_views_keep_photographs_apart_and_batches_bounded(build: Callable[..., BundlePredictor]) -> None:
    predictor = build(test_time_views=4, batch_size=8)
    photos = [coloured(RED), coloured((50, 200, 50)), coloured((50, 50, 200))] * 3
    keys = [one.key for one in predictor.predict(photos)]
    assert keys == ["apple/scab", "apple/healthy", "tomato/early_blight"] * 3


def test_the_network_never_gets_more_than_a_batch(
    build: Callable[..., BundlePredictor], monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = build(test_time_views=3, batch_size=8)
    seen: list[int] = []
    run = predictor.network.run

    def counted(squares: np.ndarray, *, with_feature_map: bool = False) -> NetworkOutputs:
        seen.append(len(squares))
        return run(squares, with_feature_map=with_feature_map)

    monkeypatch.setattr(predictor.network, "run", counted)
    predictor.predict([coloured(RED)] * 5)
    assert seen == [6, 6, 3]


def test_the_heatmap_is_that_of_the_photograph_as_it_is(build: Callable[..., BundlePredictor]) -> None:
    photo = coloured((100, 100, 100))
    photo[:, :32] = coloured(RED)[:, :32]
    (one,) = build(test_time_views=2).predict([photo], heatmap=True)
    assert one.heatmap is not None
    assert one.heatmap[:, :2].min() > 0.5
    assert one.heatmap[:, 2:].max() < 0.5
