from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.inspection.insight_material import make

from leafsight.inspection.insight import Points, Tiles, Words
from leafsight.inspection.insight.embedding_map import (
    lay_out,
    map_figure,
    nearest,
    outliers_figure,
    principal_components,
)


@pytest.fixture(autouse=True)
def _without_umap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leafsight.inspection.insight.embedding_map.find_spec", lambda name: None)


def test_components_are_those_of_a_singular_value_decomposition() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32) * np.arange(
        1, 7, dtype=np.float32
    )
    places, shares = principal_components(vectors)
    centred = vectors - vectors.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(np.abs(places) - np.abs(centred @ directions.T)).max() < 1e-3
    assert shares == pytest.approx(sizes**2 / (sizes**2).sum(), rel=1e-4)


def test_one_dimension_still_makes_a_plane() -> None:
    places, _ = principal_components(np.arange(5, dtype=np.float32)[:, None])
    assert places.shape == (5, 2)
    assert not places[:, 1].any()


def test_neighbours_are_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leafsight.inspection.insight.embedding_map.CHUNK", 7)
    vectors = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)
    apart = np.linalg.norm(vectors[:, None] - vectors[None], axis=2) + np.diag(np.full(30, np.inf))
    distances, found = nearest(vectors, 3)
    assert [set(row) for row in found.tolist()] == [set(row) for row in apart.argsort(axis=1)[:, :3].tolist()]
    assert distances == pytest.approx(np.sort(apart, axis=1)[:, :3].mean(axis=1), rel=1e-4)


def test_classes_that_lie_apart_are_said_to() -> None:
    material = make([30, 30, 30])
    layout = lay_out(material, 1000)
    assert layout is not None
    assert layout.mates > 0.95
    assert layout.by_chance == pytest.approx(29 / 89)
    figure = map_figure(material, layout)
    assert figure.answer.startswith("Classes keep apart")
    assert isinstance(figure.series, Points)
    assert "a made-up model" in figure.note


def test_classes_that_mix_are_said_to() -> None:
    vectors = np.random.default_rng(0).normal(size=(90, 8)).astype(np.float32)
    material = replace(make([30, 30, 30]), embeddings=lambda rows: vectors[rows])
    assert map_figure(material, lay_out(material, 1000)).answer.startswith("Classes mix")


def test_a_planted_stranger_is_the_loneliest() -> None:
    vectors = np.random.default_rng(0).normal(size=(61, 8)).astype(np.float32)
    vectors[:, 0] += 8
    vectors[60] = 0
    vectors[60, 7] = -9
    material = replace(make([30, 30, 1], classes=["a", "b", "odd"]), embeddings=lambda rows: vectors[rows])
    figure = outliers_figure(material, lay_out(material, 1000), 5)
    assert "is in “odd”" in figure.answer
    assert isinstance(figure.series, Tiles)
    assert figure.series.tiles[0].row == 60
    assert len(figure.series.tiles) == 5


def test_without_a_model_the_map_is_made_of_colours() -> None:
    material = make([10, 10], embeddings=False)
    figure = map_figure(material, lay_out(material, 1000))
    assert "without a model" in figure.note
    assert "trained on" not in figure.note


def test_photographs_that_no_model_saw_are_left_out() -> None:
    seen = np.ones(20, bool)
    seen[::4] = False
    layout = lay_out(replace(make([10, 10]), has_embedding=seen), 1000)
    assert layout is not None
    assert layout.rows.tolist() == np.flatnonzero(seen).tolist()


def test_many_photographs_are_sampled_and_it_is_said() -> None:
    material = make([300, 20])
    layout = lay_out(material, 100)
    figure = map_figure(material, layout)
    assert isinstance(figure.series, Points)
    assert len(figure.series.x) == 100
    assert "100 photographs of 320 are drawn" in figure.note
    assert 4 <= (material.labels[figure.series.rows] == 1).sum() <= 8


def test_too_few_photographs_have_no_map() -> None:
    material = make([2])
    assert lay_out(material, 100) is None
    assert isinstance(map_figure(material, None).series, Words)
    assert isinstance(outliers_figure(material, None, 5).series, Words)
