"""What is shown, and in which order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, RED
from tests.journeys.small_world import coloured

from leafsight.desktop.session import ORDERS, SHOWN, Photograph, chosen
from leafsight.errors import ImageError
from leafsight.inference import Prediction


@pytest.fixture(scope="module")
def photographs() -> list[Photograph]:
    answers = FakePredictor().predict([coloured(colour, seed=1) for colour in (RED, GREEN, BLUE, GREY)])
    answers[2] = replace(answers[2], probability=0.99)
    names = ("b.jpg", "a.jpg", "d.jpg", "C.jpg")
    rows = [
        Photograph(number, Path(name), one)
        for number, (name, one) in enumerate(zip(names, answers, strict=True))
    ]
    rows.append(Photograph(4, Path("waits.jpg")))
    rows[1] = replace(rows[1], correction="apple/healthy")
    rows.append(Photograph(5, Path("torn.jpg"), Prediction.unread(ImageError("torn"), None), "apple/scab"))
    return rows


@pytest.mark.parametrize(
    ("shown", "numbers"),
    [
        ("all", [0, 1, 2, 3, 4, 5]),
        ("diagnosis", [0, 2]),
        ("healthy", [1]),
        ("not_a_leaf", [3]),
        ("cannot_tell", []),
        ("unusable", [5]),
        ("corrected", [5]),
        ("confirmed", [1]),
        ("waiting", [4]),
    ],
)
def test_filters(photographs: list[Photograph], shown: str, numbers: list[int]) -> None:
    assert chosen(photographs, shown=shown) == numbers


def test_every_filter_is_tested_and_every_order_keeps_all(photographs: list[Photograph]) -> None:
    assert len(SHOWN) == 9
    for order in ORDERS:
        assert sorted(chosen(photographs, order=order)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("order", "numbers"),
    [
        ("coming", [0, 1, 2, 3, 4, 5]),
        ("name", [1, 0, 3, 2, 5, 4]),
        ("diagnosis", [1, 0, 2, 3, 4, 5]),
        ("sure", [2, 0, 1, 3, 4, 5]),
        ("unsure", [3, 5, 0, 1, 2, 4]),
    ],
)
def test_orders(photographs: list[Photograph], order: str, numbers: list[int]) -> None:
    assert chosen(photographs, order=order) == numbers


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("BLIGHT tomato", [2]),
        ("jpg apple", [0, 1, 5]),
        ("scab", [0, 5]),
        ("zebra", []),
    ],
)
def test_words(photographs: list[Photograph], words: str, numbers: list[int]) -> None:
    assert chosen(photographs, words=words) == numbers
