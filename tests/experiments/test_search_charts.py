from __future__ import annotations

import re

import pytest

from leafsight.experiments.search_charts import Axis, scatter, share_bars, spread


def test_a_logarithmic_axis_gives_equal_room_to_equal_factors() -> None:
    axis = Axis("rate", 1e-4, 1e-1, log=True)
    assert [axis.at(value) for value in (1e-4, 1e-3, 1e-1)] == pytest.approx([0.0, 1 / 3, 1.0])
    assert [name for _, name in axis.ticks()] == ["1e-4", "1e-3", "1e-2", "1e-1"]
    assert axis.at(0.0) == 0.0


def test_numbers_at_an_axis_are_those_that_people_read() -> None:
    assert [name for _, name in Axis("x", 0.114, 0.477).ticks()] == ["0.2", "0.3", "0.4"]
    assert [name for _, name in Axis("n", 0.9, 3.1, whole=True).ticks()] == ["1", "2", "3"]
    assert [name for _, name in Axis("c", -0.5, 1.5, choices=("a", "b")).ticks()] == ["a", "b"]
    # less than a decade has no two powers of ten
    assert len(Axis("x", 0.002, 0.008, log=True).ticks()) > 2


def test_values_that_are_all_the_same_have_an_axis() -> None:
    for value in (0.0, 1.0, 0.5):
        axis = spread("x", [value, value])
        assert axis.at(value) == pytest.approx(0.5)
        assert axis.ticks()


def test_dots_stand_where_they_should() -> None:
    dots = [(0.0, 0.0, "mark", "<low>"), (1.0, 1.0, "best", "high")]
    drawing = scatter(
        "t", Axis("x", 0.0, 1.0), Axis("y", 0.0, 1.0), dots,
        line=[(0.0, 0.0), (1.0, 1.0)], size=(100.0, 50.0),
    )  # fmt: skip
    places = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawing)
    assert [(float(x), float(y)) for x, y in places] == [(62.0, 64.0), (162.0, 14.0)]
    assert "&lt;low&gt;" in drawing
    assert 'points="62.0,64.0 162.0,14.0"' in drawing


def test_bars_say_their_shares() -> None:
    drawing = share_bars({"a": 0.75, "b": 0.25}, "shares")
    assert ">75%<" in drawing
    assert re.findall(r'width="([\d.]+)" height="17" rx="2" class="mark"', drawing) == ["225", "75"]
