"""Copies, contradictions and leaks from pairs."""

from __future__ import annotations

from leafsight.inspection.copies import (
    FoundPair,
    against_findings,
    copy_findings,
    crossing_leaves,
    crossing_pairs,
    leak_findings,
)


def by_kind(findings):
    return {finding.kind: finding for finding in findings}


def test_copies_are_counted_beyond_the_first_of_each_group(made):
    index = made(*[{}] * 6)
    pairs = [FoundPair(0, 1, "flipped", 0.9), FoundPair(1, 2, "near", 0.99), FoundPair(4, 5, "exact", 1.0)]
    finding = by_kind(copy_findings(index, pairs, [[0, 1, 2], [4, 5]]))["copies"]
    assert (finding.count, finding.of) == (3, 6)
    assert [case.rows for case in finding.cases] == [(0, 1, 2), (4, 5)]
    assert finding.cases[0].score == 0.9
    assert finding.cases[0].text == "mirrored, re-encoded, resized or brightened"
    assert "1 the same file" in finding.sentence


def test_one_picture_under_two_labels_must_be_mended(made):
    index = made({"class": "a"}, {"class": "b"}, {"class": "b"})
    found = by_kind(copy_findings(index, [FoundPair(0, 1, "near", 0.98)], [[0, 1]]))
    finding = found["two-labels"]
    assert (finding.weight, finding.count, finding.part) == ("mend", 2, "labels")
    assert finding.cases[0].text == "re-encoded, resized or brightened: a and b"


def test_the_same_leaf_under_two_labels_is_no_contradiction(made):
    index = made({"class": "a"}, {"class": "b"})
    found = by_kind(copy_findings(index, [FoundPair(0, 1, "same_leaf", 0.9)], []))
    assert set(found) == {"same-leaf"}
    assert found["same-leaf"].weight == "know"


def test_a_leak_is_counted_once_for_every_photograph_that_judges(made):
    split = ["train", "train", "valid", "valid", "test", None]
    index = made(*[{"split": name} for name in split])
    pairs = [
        FoundPair(0, 2, "exact", 1.0), FoundPair(2, 1, "flipped", 0.9), FoundPair(0, 1, "near", 0.9),
        FoundPair(3, 4, "near", 0.9), FoundPair(1, 5, "near", 0.9),
    ]  # fmt: skip
    findings = leak_findings(index, pairs)
    assert [(finding.count, finding.of, finding.weight) for finding in findings] == [
        (1, 2, "mend"),
        (1, 1, "mend"),
    ]
    assert "1 of 2 (50.0 %) photographs of valid are copies of pictures in train" in findings[0].sentence
    assert "photographs of test are copies of pictures in valid" in findings[1].sentence
    assert [case.rows for case in findings[0].cases] == [(2, 0), (2, 1)]
    assert (findings[0].per_class, findings[0].class_sizes) == ({"rust": 1}, {"rust": 2})


def test_a_leaf_on_both_sides_is_told_apart_from_a_copy(made):
    index = made({"split": "train"}, {"split": "test"})
    findings = leak_findings(index, [FoundPair(0, 1, "same_leaf", 0.8)])
    assert [(finding.kind, finding.weight) for finding in findings] == [("same-leaf-leak", "look")]
    assert "seem to show a leaf that is in train" in findings[0].sentence
    assert "same_leaf" in findings[0].hint  # what --repair does by itself knows nothing of leaves


def test_a_leaf_crosses_by_the_groups_that_a_split_would_keep():
    """A split by ``same_leaf`` keeps groups whole, so a pair that no group holds is no leak that it left."""
    sides = ["train", "valid", "valid", "train", "valid"]
    pairs = [FoundPair(0, 1, "same_leaf", 0.8), FoundPair(3, 4, "same_leaf", 0.7)]
    crossing = crossing_leaves(pairs, [[0, 1, 2]], sides)
    found = [(pair.one, pair.other, pair.kind) for pair in crossing]
    assert found == [(0, 1, "same_leaf"), (2, 0, "same_leaf")]
    assert {pair.kind for pair in crossing_leaves([], [[0, 1]], sides)} == {"same_leaf"}
    assert crossing_leaves(pairs, [[0, 1, 2]], ["train"] * 5) == []


def test_no_splits_no_leaks(made):
    assert leak_findings(made({}, {}), [FoundPair(0, 1, "exact", 1.0)]) == []


def test_against_another_collection(made):
    mine = made({"class": "a"}, {"class": "b"}, {"class": "b"}, source="mine")
    theirs = made({"class": "a"}, {"class": "a"}, source="theirs")
    pairs = [FoundPair(0, 1, "near", 0.9), FoundPair(1, 0, "exact", 1.0), FoundPair(1, 1, "near", 0.95)]
    finding = against_findings(mine, theirs, pairs, "theirs")[0]
    assert (finding.count, finding.of, finding.weight) == (2, 3, "mend")
    assert finding.cases[0].elsewhere == ("a/0001.jpg",)
    assert finding.cases[0].text == "re-encoded, resized or brightened"
    assert finding.cases[1].text.endswith(", other label")


def test_nothing_in_common_is_said_too(made):
    finding = against_findings(made({}, {}), made({}), [], "theirs")[0]
    assert (finding.count, finding.weight) == (0, "know")
    assert finding.sentence == "0 of 2 (0.0 %) photographs stand also in theirs"


def test_a_photograph_that_only_its_group_ties_to_a_side_crosses_too():
    sides = ["valid", "valid", "train", None, "test"]
    pairs = [FoundPair(0, 1, "exact", 1.0), FoundPair(0, 2, "cropped", 0.9)]
    crossing = crossing_pairs(pairs, [[0, 1, 2, 3]], sides)
    assert [(pair.one, pair.other, pair.kind) for pair in crossing] == [(0, 2, "cropped"), (1, 2, "cropped")]
    assert crossing_pairs(pairs, [[0, 1]], ["valid"] * 5) == []


def test_a_pair_that_the_groups_refused_still_crosses():
    pairs = [FoundPair(0, 1, "near", 0.9)]
    assert crossing_pairs(pairs, [], ["train", "test"]) == pairs
