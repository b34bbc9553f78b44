"""The sentences under the pictures, on collections of which the truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.inspection.insight_material import make

from leafsight.inspection.insight import Bars, Figure, Points, Spreads, Words
from leafsight.inspection.insight.capture import cameras_figure, dates_figure
from leafsight.inspection.insight.counts import counts_figure
from leafsight.inspection.insight.sizes import shapes_figure, sizes_figure
from leafsight.inspection.insight.tones import (
    brightness_figure,
    colour_figure,
    green_figure,
    lesion_figure,
    sharpness_figure,
)


def answer(figure: Figure) -> str:
    return figure.answer.replace("\u00a0", " ")


def test_counts_tell_the_imbalance() -> None:
    said = answer(counts_figure(make([82, 10, 20], classes=["big", "small", "mid"]), 40))
    assert "The largest class, “big”, has 8.2 times as many photographs as the smallest, “small”" in said
    assert "(82 against 10)" in said
    assert "at most 73 % of them" in said


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([7], "There is one class, “class 000”, with 7 photographs"),
        ([4, 4], "Both classes have the same number: 4 photographs each."),
        ([100, 105, 110], "nearly equal: from 100 photographs of “class 000” to 110 of “class 002”"),
        ([50, 50, 20], "The 2 largest classes have 2.5 times as many"),
        ([50, 1], "1 class has fewer than 10 photographs: “class 001”"),
    ],
)
def test_counts_of_odd_collections(counts: list[int], said: str) -> None:
    assert said in answer(counts_figure(make(counts), 40))


def test_unreadable_photographs_are_told() -> None:
    assert "3 photographs cannot be read and are not counted" in answer(
        counts_figure(replace(make([20, 30]), unreadable=3), 40)
    )


def test_two_hundred_classes_are_folded_between_the_extremes() -> None:
    figure = counts_figure(make(list(range(1, 201))), 11)
    assert isinstance(figure.series, Bars)
    bars = figure.series.bars
    assert len(bars) == 11
    assert (bars[0].value, bars[-1].value) == (200, 1)
    assert (bars[5].label, bars[5].note) == ("190 classes between", "from 6 to 195 each")


def test_the_brightest_class_is_named() -> None:
    labels = np.repeat(np.arange(3), 20)
    noise = np.random.default_rng(0).normal(0, 0.01, 60)
    material = make(
        [20, 20, 20], classes=["dark", "light", "mid"], brightness=0.3 + 0.2 * (labels + noise) % 1
    )
    material = make(
        [20, 20, 20], classes=["dark", "light", "mid"], brightness=np.array([0.2, 0.8, 0.5])[labels] + noise
    )
    figure = brightness_figure(material, 40)
    assert "Brightness differs strongly between classes" in answer(figure)
    assert "The brightest class is “light” (middle photograph 80 %)" in answer(figure)
    assert "the darkest is “dark”" in answer(figure)
    assert isinstance(figure.series, Spreads)
    assert [one.label for one in figure.series.spreads] == ["light", "mid", "dark"]


def test_equal_classes_are_not_called_different() -> None:
    said = answer(brightness_figure(make([200, 200]), 40))
    assert "hardly differs between classes" in said
    assert "brightest" not in said


def test_a_class_of_one_is_never_the_brightest() -> None:
    values = np.concatenate([np.full(20, 0.2), np.full(20, 0.4) + np.arange(20) / 1000, [0.99]])
    said = answer(brightness_figure(make([20, 20, 1], brightness=values), 40))
    assert "The brightest class is “class 001”" in said
    assert "Not compared: 1 class with fewer than 5 photographs" in said


def test_one_class_and_equal_values_have_true_sentences() -> None:
    assert "There is only one class." in answer(brightness_figure(make([30]), 40))
    same = answer(brightness_figure(make([5, 5], brightness=np.full(10, 0.5)), 40))
    assert same == "Brightness is 50 % in every photograph."


def test_extremes_are_the_photographs_furthest_out() -> None:
    values = np.linspace(0.4, 0.6, 100)
    values[17], values[60] = 0.01, 0.99
    figure = brightness_figure(make([100], brightness=values), 40)
    assert isinstance(figure.series, Spreads)
    extremes = figure.series.spreads[0].extremes
    assert extremes[0] == (pytest.approx(1.0), 17)
    assert extremes[-1] == (pytest.approx(99.0), 60)


def test_blurred_photographs_are_counted_and_placed() -> None:
    values = np.full(60, 200.0) + np.arange(60)
    values[40:43] = 3.0
    said = answer(sharpness_figure(make([30, 30], sharpness=values), 40))
    assert "3 photographs (5.0 %) have less than a tenth of the sharpness" in said
    assert "3 of them in “class 001”" in said


@pytest.mark.parametrize("figure_of", [green_figure, lesion_figure, colour_figure])
def test_grey_photographs_have_no_green(figure_of) -> None:
    figure = figure_of(make([10, 10], grey=True), 40)
    assert isinstance(figure.series, Words)
    assert "grey" in figure.answer


def test_the_colour_that_stands_apart_has_its_direction() -> None:
    labels = np.repeat(np.arange(2), 20)
    red = np.where(labels == 1, 0.7, 0.3) + np.linspace(0, 0.02, 40)
    flat = np.full(40, 0.3)
    material = make(
        [20, 20], classes=["a", "rose"], mean_red=red, mean_green=flat, mean_blue=flat + 0.2 * (labels == 1)
    )
    said = answer(colour_figure(material, 1000))
    assert "depends strongly on its class" in said
    # Both classes are equally far from the other; the first is named.
    assert "“a” stands furthest from the rest: it is greener by" in said


def test_photographs_without_a_measure_are_counted() -> None:
    values = np.full(20, 0.5) + np.arange(20) / 100
    values[:3] = np.nan
    figure = brightness_figure(make([10, 10], brightness=values), 40)
    assert "3 photographs could not be measured" in figure.note
    nothing = brightness_figure(make([5, 5], brightness=np.full(10, np.nan)), 40)
    assert isinstance(nothing.series, Words)


def test_sizes_that_give_the_class_away_are_told() -> None:
    labels = np.repeat(np.arange(2), 50)
    material = make([50, 50], width_px=np.where(labels == 0, 300, 200), height_px=np.full(100, 200.0))
    said = answer(sizes_figure(material))
    assert "2 sizes, from 200 × 200 px to 300 × 200 px" in said
    assert "right in 100 % of the cases; always saying the largest class is right in 50 %" in said
    shape = answer(shapes_figure(material, 40))
    assert shape.startswith("50 % are square, 50 % are wider than tall.")
    assert "Nearly all of “class 001” are square, but none elsewhere." in shape


def test_sizes_that_say_nothing_are_told() -> None:
    figure = sizes_figure(make([50, 50], width_px=np.tile([300, 200], 50), height_px=np.full(100, 100.0)))
    assert "The size does not give the class away." in figure.answer
    assert "100 photographs are smaller than 128 px" in answer(figure)
    assert isinstance(figure.series, Points)
    assert figure.series.counts.tolist() == [50, 50]


def test_one_size_and_no_size() -> None:
    assert answer(sizes_figure(make([9]))) == "All 9 photographs have the same size: 256 × 256 px."
    assert "Every photograph is square" in shapes_figure(make([9]), 40).answer
    unknown = make([9], width_px=np.full(9, np.nan))
    assert isinstance(sizes_figure(unknown).series, Words)
    assert isinstance(shapes_figure(unknown, 40).series, Words)


def test_without_exif_the_figures_say_so() -> None:
    material = make([10, 10])
    assert "not one of the 20 photographs says which camera" in answer(cameras_figure(material))
    assert "not one of the 20 photographs says when" in answer(dates_figure(material))


def test_a_camera_that_is_the_class_is_told() -> None:
    cameras = ["Canon"] * 25 + ["<b>Nikon"] * 20 + [None] * 5
    figure = cameras_figure(make([25, 25], cameras=cameras))
    assert "2 cameras; “Canon” took 56 % of the photographs that name theirs. 10 % do not say." in answer(
        figure
    )
    assert "guesses the class right in 100 % of the cases" in answer(figure)
    assert isinstance(figure.series, Bars)
    assert [bar.label for bar in figure.series.bars] == ["Canon", "<b>Nikon", "not stated"]


def test_days_and_classes_of_one_day_are_told() -> None:
    taken = ["2023-05-01T10:00:00"] * 10 + [f"2024-06-{day:02d}T09:00:00" for day in range(1, 11)]
    figure = dates_figure(make([10, 10], taken=taken))
    assert "20 photographs were taken between 2023-05-01 and 2024-06-10, on 11 days." in answer(figure)
    assert "“class 000” was photographed on a single day" in answer(figure)
    assert isinstance(figure.series, Bars)
    assert [bar.label for bar in figure.series.bars] == ["2023-05", "2024-06"]


def test_dates_that_are_none_are_no_dates() -> None:
    figure = dates_figure(make([4], taken=["0000-00-00T00:00:00", "nonsense", None, "2020-01-02T00:00:00"]))
    assert "1 photograph was taken on 2020-01-02, on 1 day. 75 % do not say when." in answer(figure)


def test_few_photographs_are_not_called_different() -> None:
    values = np.random.default_rng(4).random(12)
    labels = np.repeat(np.arange(2), 6)
    values += 0.15 * labels
    said = answer(brightness_figure(make([6, 6], brightness=values), 40))
    assert "no more between classes than chance makes 12 photographs differ" in said


def test_one_camera_is_said_simply() -> None:
    assert "One photograph names its camera: “A”." in cameras_figure(make([2], cameras=["A", None])).answer
    assert "The 2 photographs with a stated camera come from one: “A”." in answer(
        cameras_figure(make([2], cameras=["A", "A"]))
    )
