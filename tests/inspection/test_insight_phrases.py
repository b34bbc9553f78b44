from __future__ import annotations

import pytest

from leafsight.inspection.insight.phrases import counted, listed, named, number, percent, times, visible


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0 %"), (1e-5, "less than 0.1 %"), (0.004, "0.4 %"), (0.0994, "9.9 %"), (0.123, "12 %"),
        (0.96, "96.0 %"), (0.9999, "more than 99.9 %"), (1, "100 %"),
    ],
)  # fmt: skip
def test_shares_are_never_rounded_to_all_or_nothing(share: float, said: str) -> None:
    assert percent(share).replace("\u00a0", " ") == said


def test_nouns_follow_their_number() -> None:
    assert [counted(n, "class") for n in (0, 1, 2)] == ["0 classes", "1 class", "2 classes"]
    assert counted(12_000, "photograph") == "12,000 photographs"
    assert counted(2, "day") == "2 days"


def test_numbers_keep_three_digits() -> None:
    assert [number(value) for value in (0, 0.01234, 3.14159, 12.345, 12345.6)] == [
        "0", "0.0123", "3.14", "12.3", "12,346",
    ]  # fmt: skip
    assert [times(1.44), times(12.6)] == ["1.4 times", "13 times"]


def test_names_from_strangers_are_made_visible() -> None:
    assert visible("a\nb\u202ec") == "a\\nb\\u202ec"
    assert visible("\udcff.jpg") == "\\xff.jpg"
    assert visible("x" * 30 + "end", 20) == "x" * 12 + "…" + "xxxxend"
    assert named("葉") == "“葉”"


def test_lists_stop_and_say_how_many_more() -> None:
    assert listed(["a"]) == "“a”"
    assert listed(["a", "b", "c"]) == "“a”, “b” and “c”"
    assert listed(list("abcde")) == "“a”, “b”, “c” and 2 more"
