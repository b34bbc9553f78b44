from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.dataset import capture_of, capture_runs

UUID = "01a66316-0e98-4d3b-a56f-d78752cd043f___"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"Apple___scab/{UUID}FREC_Scab 3003.jpg", ("FREC_Scab ", 3003)),
        ("RS_Rust 2148.JPG", ("RS_Rust ", 2148)),
        (f"{UUID}GHLB2 Leaf 86.1.jpg", ("GHLB2 Leaf 86.", 1)),
        (f"{UUID}R.S_HL 5548 copy 3.jpg", ("R.S_HL ", 5548)),
        ("IMG_3028_3.jpg", ("IMG_", 3028)),
        (f"{UUID}GH_HL Leaf 180.1.jpg", ("GH_HL Leaf ", 180)),
        ("IMG_20240501_0007.png", ("IMG_20240501_", 7)),
        (f"{UUID}FREC_Scab 3417_90deg.JPG", ("FREC_Scab ", 3417)),
        (f"{UUID}JR_FrgE.S 8593_new30degFlipLR.JPG", ("JR_FrgE.S ", 8593)),
        ("RS_HL 1864_flipTB.JPG", ("RS_HL ", 1864)),
        ("RS_HL 1864_newPixel25.JPG", ("RS_HL ", 1864)),
        (f"{UUID}GH_HL Leaf 180.1_180deg.JPG", ("GH_HL Leaf ", 180)),
        (f"{UUID}RS_NLB 3806 copy 2_newPixel25.jpg", ("RS_NLB ", 3806)),
        ("RS_HL 1864_flipTB copy.JPG", ("RS_HL ", 1864)),
        ("image (12).jpg", None),
        ("leaf.jpg", None),
        (".jpg", None),
        ("line\nbreak 5.jpg", ("line\nbreak ", 5)),
    ],
)
def test_counter_of_a_name(name: str, expected: tuple[str, int] | None) -> None:
    assert capture_of(name) == expected


def names(*counters: int) -> list[str]:
    """Names with a camera's counter, which does not begin near 1."""
    return [f"IMG {3000 + counter}.jpg" for counter in counters]


def test_runs_follow_the_counter_not_the_order() -> None:
    paths = names(5, 1, 2, 9, 3)
    assert capture_runs(paths, ["a"] * 5, gap=1, limit=8) == [[1, 2, 4]]
    assert capture_runs(paths, ["a"] * 5, gap=2, limit=8) == [[1, 2, 4, 0]]


def test_kinds_prefixes_and_missing_kinds_part_runs() -> None:
    paths = [*names(1, 2, 3), "DSC 3004.jpg"]
    assert capture_runs(paths, ["a", "b", "a", "a"], gap=1, limit=8) == []
    assert capture_runs(paths, [None, "a", "a", "a"], gap=1, limit=8) == [[1, 2]]


def test_numbers_that_count_the_files_are_no_camera_counters() -> None:
    renamed = [f"rust.{number}.jpg" for number in range(1, 40)]
    assert capture_runs(renamed, ["a"] * 39, gap=1, limit=8) == []
    assert capture_runs([f"rust.{number + 500}.jpg" for number in range(1, 40)], ["a"] * 39, gap=1, limit=8)


def test_long_runs_are_cut_from_the_start() -> None:
    runs = capture_runs(names(*range(20)), ["a"] * 20, gap=1, limit=8)
    assert [len(run) for run in runs] == [8, 8, 4]
    assert runs[0] == list(range(8))


def test_copies_of_one_shot_stay_with_it() -> None:
    paths = ["HL 707.jpg", "HL 707 copy.jpg", "HL 707 copy 2.jpg", "HL 799.jpg"]
    assert capture_runs(paths, ["a"] * 4, gap=1, limit=2) == [[0, 1, 2]]


@given(st.lists(st.integers(0, 60), unique=True, max_size=40), st.integers(1, 4), st.integers(2, 9))
def test_runs_are_disjoint_short_and_without_gaps(counters: list[int], gap: int, limit: int) -> None:
    runs = capture_runs(names(*counters), ["a"] * len(counters), gap=gap, limit=limit)
    positions = [position for run in runs for position in run]
    assert len(positions) == len(set(positions))
    for run in runs:
        values = [counters[position] for position in run]
        assert 2 <= len(values) <= limit
        assert all(0 < later - earlier <= gap for earlier, later in pairwise(values))
