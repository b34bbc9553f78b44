from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.inspection.insight_material import make

from leafsight.inspection.insight import Matrix, Tiles, Words
from leafsight.inspection.insight import looks as looks_module
from leafsight.inspection.insight.looks import (
    border_colours,
    border_distances,
    borders_figure,
    look_over,
    means_figure,
)


def test_one_walk_finds_what_plain_means_find(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks_module, "CHUNK", 7)  # classes are torn over chunks
    material = make([12, 1, 9])
    found = look_over(material)
    assert found is not None
    assert material.pictures is not None
    assert found.counts.tolist() == [12, 1, 9]
    for label in range(3):
        pictures = material.pictures(np.flatnonzero(material.labels == label)).astype(float)
        assert np.abs(found.means[label] - pictures.mean(axis=0)).max() < 0.01
        inside = pictures.std(axis=(1, 2)).mean()
        assert found.contrasts[label] == pytest.approx(inside, rel=1e-4)


def test_distances_of_borders_are_those_of_all_pairs() -> None:
    material = make([6, 5])
    found = look_over(material)
    assert found is not None
    assert material.pictures is not None
    borders = border_colours(material.pictures(np.arange(11)).astype(np.float32))
    squared = ((borders[:, None] - borders[None]) ** 2).mean(axis=2)
    distances = border_distances(found) ** 2
    assert distances[0, 1] == pytest.approx(squared[:6, 6:].mean(), rel=1e-3)
    own = squared[:6, :6].sum() / 30  # without the zeros of the diagonal
    assert distances[0, 0] == pytest.approx(own, rel=1e-3)


def test_borders_give_away_classes_with_their_own_background() -> None:
    figure = borders_figure(make([20, 20, 20]), look_over(make([20, 20, 20])), 40)
    assert figure.answer.startswith("The borders give the class away")
    assert isinstance(figure.series, Matrix)
    assert figure.series.values.shape == (3, 3)


def test_borders_say_little_where_all_classes_look_the_same() -> None:
    material = make([40, 40])
    assert material.pictures is not None
    alike = make([80])
    same = replace(material, pictures=alike.pictures)
    figure = borders_figure(same, look_over(same), 40)
    assert figure.answer.startswith("The borders say little")


def test_a_class_of_five_is_not_well_framed_by_chance() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (205, 64, 64, 3)).astype(np.uint8)
    material = replace(make([5, 200]), pictures=lambda rows: noise[rows])
    found = look_over(material)
    kept = looks_module._kept_contrast(found)  # type: ignore[arg-type]
    assert kept.max() < 0.06


def test_mean_pictures_name_what_is_framed_alike() -> None:
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[16:48, 16:48] = 200
    rng = np.random.default_rng(0)
    material = make([10, 10], classes=["framed", "strewn"])
    shifts = rng.integers(0, 64, (20, 2))
    pictures = np.stack(
        [frame if row < 10 else np.roll(frame, tuple(shifts[row]), (0, 1)) for row in range(20)]
    )
    material = replace(material, pictures=lambda rows: pictures[rows])
    figure = means_figure(material, look_over(material), 40)
    assert "of “framed” are framed most alike" in figure.answer
    assert isinstance(figure.series, Tiles)
    assert [tile.caption for tile in figure.series.tiles] == ["framed", "strewn"]


def test_without_pictures_both_say_so() -> None:
    material = make([5, 5], pictures=False)
    assert look_over(material) is None
    for figure in (means_figure(material, None, 40), borders_figure(material, None, 40)):
        assert isinstance(figure.series, Words)
        assert "no small pictures" in figure.answer
