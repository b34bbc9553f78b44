"""Photographs for a report: one said to be right, one corrected, no leaf, a file that is gone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import BLUE, GREY, RED
from tests.journeys.small_world import coloured, save_picture

from leafsight.desktop.session import Exported, Model, Report
from leafsight.errors import ImageError
from leafsight.inference import Combined, Prediction
from leafsight.inference.prediction import ANSWER_NAMES

MODEL = Model("fake", "abc", {"apple/scab": "Apple: scab", "mine/odd_spot": "Mine: odd spot"}, {})
MADE = datetime(2026, 11, 24, 9, 5)


def answers() -> list[Prediction]:
    return FakePredictor().predict([coloured(colour, seed=1) for colour in (RED, BLUE, GREY)], heatmap=True)


def rows_in(folder: Path) -> list[Exported]:
    red, blue, grey = answers()
    plain = {name: getattr(red, name) for name in ANSWER_NAMES}
    together = Combined(**plain, photographs=2, used=1)
    names = ("1 red.jpg", "2 Лист.jpg", "3 葉 <b>&amp;.jpg")
    paths = [
        save_picture(folder / "photos" / name, colour)
        for name, colour in zip(names, (RED, BLUE, GREY), strict=True)
    ]
    return [
        Exported(paths[0], red, "apple/scab", 4, together),
        Exported(paths[1], blue, "mine/odd_spot", 4, together),
        Exported(paths[2], grey, None, 5, None),
        Exported(folder / "gone.jpg", Prediction.unread(ImageError("it is gone"), None), None),
    ]


def report(rows: list[Exported], **more: Any) -> Report:
    return Report(rows, MODEL, MADE, **more)
