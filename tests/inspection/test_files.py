"""What is odd about files: each kind once, and what must not be called odd."""

from __future__ import annotations

from typing import Any

import pytest

from leafsight.inspection.files import file_findings


def kinds(findings: list[Any]) -> dict[str, list[tuple[int, ...]]]:
    return {finding.kind: [case.rows for case in finding.cases] for finding in findings}


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        ({"fault": "corrupt-image: it ends too early"}, "corrupt-image"),
        ({"path": "rust/0001.png"}, "mislabelled-type"),
        ({"path": "rust/0001.JPG", "format": "PNG"}, "mislabelled-type"),
        ({"width_px": 50, "height_px": 60}, "tiny"),
        ({"width_px": 1000, "height_px": 300}, "extreme-aspect"),
        ({"mode": "CMYK"}, "odd-colours"),
        ({"mode": "L"}, "odd-colours"),
        ({"frames": 3}, "animated"),
        ({"orientation": 6}, "turned-by-exif"),
        ({"has_gps": True}, "gps"),
    ],
)
def test_each_kind_is_found_and_only_that(made, odd, kind):
    index = made({"path": "rust/0000.jpg"}, {"path": "rust/0001.jpg", **odd}, {"path": "rust/0002.jpg"})
    row = [path.split(".")[0] for path in index.column("path")].index("rust/0001")
    findings = file_findings(index)
    assert kinds(findings) == {kind: [(row,)]}
    assert findings[0].count == 1
    assert findings[0].per_class == {"rust": 1}


def test_sound_photographs_have_no_findings(made):
    assert file_findings(made({}, {"path": "a.jpeg"}, {"format": "MPO"}, {"path": "no suffix"})) == []


def test_a_collection_that_is_grey_throughout_has_no_odd_colours(made):
    assert file_findings(made(*[{"mode": "L"}] * 5)) == []
    mixed = file_findings(made(*[{"mode": "L"}] * 5, {"mode": "CMYK"}))
    assert kinds(mixed) == {"odd-colours": [(5,)]}
    assert "1 CMYK" in mixed[0].sentence


def test_a_collection_that_is_small_throughout_is_told_so_once(made):
    finding = file_findings(made(*[{"width_px": 32, "height_px": 32}] * 3))[0]
    assert (finding.weight, finding.count) == ("know", 3)
    assert "on purpose" in finding.hint


def test_the_smallest_and_the_longest_come_first(made):
    index = made({"width_px": 50}, {"width_px": 10, "height_px": 10}, {"width_px": 60, "height_px": 900})
    found = kinds(file_findings(index))
    assert found["tiny"] == [(1,), (0,), (2,)]
    assert found["extreme-aspect"] == [(2,), (0,)]


def test_faults_are_counted_by_kind_with_their_reasons(made):
    index = made({}, {"fault": "corrupt-image: a"}, {"fault": "corrupt-image: b"}, {"fault": "empty-file: c"})
    findings = file_findings(index)
    assert [(finding.kind, finding.count, finding.weight) for finding in findings] == [
        ("corrupt-image", 2, "mend"),
        ("empty-file", 1, "mend"),
    ]
    assert [case.text for case in findings[0].cases] == ["a", "b"]
    assert "2 of 4 (50.0 %)" in findings[0].sentence
