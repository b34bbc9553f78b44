"""Photographs on which little can be seen."""

from __future__ import annotations

import pytest

from leafsight.feedback.pictures import picture_finding
from leafsight.inspection import QualityOptions

GOOD = {
    "width_px": 400,
    "height_px": 300,
    "sharpness": 90.0,
    "highlight": 0.9,
    "shadow": 0.2,
    "contrast": 0.2,
}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"height_px": 63}, "tiny"),
        ({"height_px": 64}, None),
        ({"sharpness": 1.9}, "blurred"),
        ({"highlight": 0.3}, "dark"),
        ({"shadow": 0.7}, "over_exposed"),
        ({"contrast": 0.01}, "flat"),
        ({"highlight": None, "shadow": "x"}, None),
    ],
)
def test_what_is_wrong_with_a_picture(changes: dict[str, object], why: str | None) -> None:
    found = picture_finding({**GOOD, **changes}, min_sharpness=2.0, side_px=256, limits=QualityOptions())
    assert (found and found.values["why"]) == why
    assert found is None or found.blocks


def test_what_was_not_measured_is_not_judged() -> None:
    assert picture_finding({}, min_sharpness=2.0, side_px=256, limits=QualityOptions()) is None
