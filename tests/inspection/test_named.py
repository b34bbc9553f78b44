"""Names that say what photographs show one thing, and names that do not."""

from __future__ import annotations

import pytest

from leafsight.inspection.named import name_findings

PATIENTS = ("00000061_012.jpg", "00000061_015.jpg", "00000150_002.jpg", "00000165_001.jpg")


def named(made, *names, **same):
    return made(*[{"path": f"{('ill', 'well')[at % 2]}/{name}", **same} for at, name in enumerate(names)])


@pytest.mark.parametrize(
    "names",
    [
        PATIENTS,
        ("leaf12_1.png", "leaf12_2.png", "leaf13_1.png"),
        ("Plant-7_1.JPG", "Plant-7_02.JPG", "x.JPG"),
    ],
)
def test_pictures_of_one_thing_are_found_across_classes(made, names):
    finding = name_findings(named(made, *names))[0]
    assert (finding.kind, finding.part, finding.weight) == ("named-together", "leaks", "look")
    assert (finding.count, finding.of) == (2, len(names))
    assert finding.cases[0].text == ""
    assert "--name-pattern" in finding.hint


@pytest.mark.parametrize(
    "names",
    [
        ("IMG_3028.jpg", "IMG_3029.jpg", "IMG_3030.jpg"),
        ("rust_1.jpg", "rust_2.jpg", "rust_3.jpg"),
        ("0001.jpg", "0002.jpg"),
        ("61_1.jpg", "62_1.jpg", "63_1.jpg"),
        ("61_1.jpg", "61_2.jpg", "a.jpg", "b.jpg", "c.jpg"),
        tuple(f"2021_{number:03d}.jpg" for number in range(40)),
        (),
    ],
)
def test_other_names_say_nothing(made, names):
    assert name_findings(named(made, *names)) == []


def test_what_is_known_already_is_not_told_again(made):
    assert name_findings(named(made, *PATIENTS, given_group="a leaf")) == []
    assert name_findings(named(made, *PATIENTS, group_from="given")) == []
    assert name_findings(named(made, *PATIENTS, fault="corrupt-image: it ends")) == []
    assert name_findings(named(made, *PATIENTS, group_from="found"))


def test_sets_in_two_splits_come_first_and_are_counted(made):
    splits = ("train", "train", "train", "test", "train", None)
    names = ("1_1.jpg", "1_2.jpg", "2_1.jpg", "2_2.jpg", "3_1.jpg", "3_2.jpg")
    index = made(*[{"path": name, "split": split} for name, split in zip(names, splits, strict=True)])
    finding = name_findings(index)[0]
    assert "1 of these 3 sets are in two splits" in finding.sentence
    assert (finding.cases[0].rows, finding.cases[0].text) == ((2, 3), "train 1, test 1")


def test_the_pattern_of_the_hint_makes_the_same_sets(made):
    from leafsight.dataset import GroupOptions, group_photos

    index = named(made, *PATIENTS)
    pattern = name_findings(index)[0].hint.split("'")[1]
    _, reports = group_photos(index, GroupOptions(group_by=(), name_pattern=pattern))
    assert next(report for report in reports if report.rule == "name").photographs == 2
