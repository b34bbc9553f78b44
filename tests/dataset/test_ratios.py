from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.dataset import parse_ratios
from leafsight.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train=0.8,valid=0.1,test=0.1", {"train": 0.8, "valid": 0.1, "test": 0.1}),
        ("5:1", {"train": 5 / 6, "test": 1 / 6}),
        ("80/10/10", {"train": 0.8, "valid": 0.1, "test": 0.1}),
        ("70% / 10% / 10% / 10%", {"train": 0.7, "valid": 0.1, "calibration": 0.1, "test": 0.1}),
        ("a=3, b=1", {"a": 0.75, "b": 0.25}),
        ({"train": 4, "test": 1}, {"train": 0.8, "test": 0.2}),
    ],
)
def test_every_way_to_write_a_ratio(text: object, expected: dict[str, float]) -> None:
    assert parse_ratios(text) == pytest.approx(expected)  # type: ignore[arg-type]
    assert list(parse_ratios(text)) == list(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1 shares without names"),
        ("80", "1 shares without names"),
        ("1:2:3:4:5", "5 shares without names"),
        ("train=1", "at least two parts"),
        ("80/0/20", "must be above 0"),
        ("80/-5/25", "must be above 0"),
        ("nan:1", "must be above 0"),
        ("0.8,0.1", "add up to 0.9"),
        ("train=0.8,test=0.1", "add up to 0.9"),
        ("train=8,train=2", "'train' twice"),
        ("train=8,2", "without a share"),
        ("a b=1,c=2", "cannot be the name"),
        ("eight:two", "not a number"),
    ],
)
def test_what_is_no_ratio_says_why(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse_ratios(text)
    assert caught.value.hint


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=4))
def test_shares_add_up_to_one(shares: list[int]) -> None:
    parsed = parse_ratios(":".join(map(str, shares)))
    assert math.isclose(sum(parsed.values()), 1)
    assert list(parsed.values()) == pytest.approx([share / sum(shares) for share in shares])
