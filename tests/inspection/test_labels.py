from __future__ import annotations

import json

import numpy as np
import pytest

from leafsight.errors import DatasetError, EvaluationError
from leafsight.inspection import LabelReport, confident_joint, find_suspicious_labels

CLASSES = ["apple scab", "apple healthy", "bean rust", "bean healthy"]


def clouds(
    n: int = 400, c: int = 4, *, distance: float = 6.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of classes that lie ``distance`` standard deviations from the origin."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % c
    centres = np.random.default_rng(99).normal(size=(c, 32))
    centres *= distance / np.linalg.norm(centres, axis=1, keepdims=True)
    return (centres[labels] + generator.normal(size=(n, 32))).astype(np.float32), labels


def planted(labels: np.ndarray, count: int, seed: int = 0, c: int = 4) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    rows = generator.choice(len(labels), count, replace=False)
    wrong = labels.copy()
    wrong[rows] = (labels[rows] + generator.integers(1, c, count)) % c
    return wrong, rows


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_errors_stand_first(seed: int) -> None:
    features, labels = clouds(seed=seed)
    wrong, rows = planted(labels, 20, seed)
    report = find_suspicious_labels(wrong, CLASSES, features=features, seed=seed)
    assert np.isin(rows, report.order[:20]).mean() >= 0.95
    assert np.isin(rows, report.order[:24]).all()


def test_the_suggestion_is_the_true_class() -> None:
    features, labels = clouds()
    wrong, rows = planted(labels, 20)
    report = find_suspicious_labels(wrong, CLASSES, features=features)
    assert (report.suggested[rows] == labels[rows]).all()
    worst = report.worst(20)
    assert [one.rank for one in worst] == list(range(1, 21))
    assert all(one.suggested == CLASSES[labels[one.row]] for one in worst)
    assert all(one.given == CLASSES[wrong[one.row]] for one in worst)
    assert all(one.probability_suggested > one.probability_given for one in worst)
    assert [one.score for one in worst] == sorted((one.score for one in worst), reverse=True)


def test_right_labels_are_not_suspected() -> None:
    features, labels = clouds(distance=9.0)
    report = find_suspicious_labels(labels, CLASSES, features=features)
    assert report.worst() == ()
    assert not report.confident.any()
    assert (report.wrong_share, report.agreement) == (0.0, 1.0)
    assert report.confused() == ()
    assert "100 % of 400" in report.lines()[0]


def test_the_share_of_wrong_labels_is_estimated() -> None:
    features, labels = clouds(1000)
    wrong, rows = planted(labels, 50)
    report = find_suspicious_labels(wrong, CLASSES, features=features)
    assert report.wrong_share == pytest.approx(0.05, abs=0.01)
    assert report.confident[rows].mean() > 0.85
    assert report.joint.sum() <= 1000
    assert (report.joint.sum() - np.trace(report.joint)) == report.confident.sum()


def test_errors_in_one_direction_are_named() -> None:
    features, labels = clouds()
    wrong = labels.copy()
    wrong[np.flatnonzero(labels == 0)[:12]] = 2
    pair = find_suspicious_labels(wrong, CLASSES, features=features).confused(1)[0]
    assert (pair.given, pair.suggested) == ("bean rust", "apple scab")
    assert 4 <= pair.photos <= 12  # only those surer than the mean of the class are counted


def test_copies_vouch_for_each_other_unless_they_are_one_group() -> None:
    features, labels = clouds(400, distance=3.0)
    # A series of one leaf, eight photographs, all with the same wrong label.
    series = np.random.default_rng(5).normal(size=32) * 0.3 + features[labels == 0].mean(axis=0)
    direction = np.random.default_rng(6).normal(size=32) * 2.0
    own = (series + direction + np.random.default_rng(7).normal(size=(8, 32)) * 0.05).astype(np.float32)
    features, labels = np.concatenate([features, own]), np.concatenate([labels, np.full(8, 1)])
    groups: list[str | None] = [None] * 400 + ["leaf"] * 8
    place = {}
    for name, given in (("alone", None), ("together", groups)):
        report = find_suspicious_labels(labels, CLASSES, features=features, groups=given)
        rank = np.empty(len(labels))
        rank[report.order] = np.arange(len(labels))
        place[name] = rank[400:].mean()
    assert place["together"] < 0.5 * place["alone"]


def test_conflicts_within_a_group_are_listed() -> None:
    features, labels = clouds(80)
    groups: list[str | None] = [None] * 80
    groups[3] = groups[8] = "one leaf"  # labels 3 and 0
    groups[1] = groups[5] = "another leaf"  # both 1
    report = find_suspicious_labels(labels, CLASSES, features=features, groups=groups)
    assert [(one.rows, one.labels) for one in report.conflicts] == [
        ((3, 8), ("apple scab", "bean healthy")),
    ]
    assert "1 groups of photographs carry more than one label" in "\n".join(report.lines())


def test_without_embeddings_thumbnails_serve() -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(160) % 4
    colours = np.array([[40, 160, 40], [160, 40, 40], [40, 40, 160], [150, 150, 30]])
    rgb = np.clip(colours[labels][:, None, None] + generator.integers(-30, 31, (160, 32, 32, 3)), 0, 255)
    wrong, rows = planted(labels, 8)
    report = find_suspicious_labels(wrong, CLASSES, rgb=rgb.astype(np.uint8))
    assert np.isin(rows, report.order[:8]).all()


def test_classes_of_one_group_are_named_and_ranked_nowhere() -> None:
    features, labels = clouds(80)
    groups = ["leaf" if label == 2 else None for label in labels]
    report = find_suspicious_labels(labels, [*CLASSES, "empty"], features=features, groups=groups)
    assert report.not_judged == ("bean rust",)
    assert len(report.order) == 60
    alone = np.flatnonzero(labels == 2)
    assert np.isnan(report.score[alone]).all()
    assert (report.suggested[alone] == -1).all()
    assert not np.isin(alone, report.order).any()
    assert "not judged, fewer than two independent groups: bean rust" in report.lines()[-1]


def test_the_same_seed_gives_the_same_ranking() -> None:
    features, labels = clouds(120, distance=2.0)
    one, again = (find_suspicious_labels(labels, CLASSES, features=features, seed=4) for _ in range(2))
    assert np.array_equal(one.order, again.order)


def test_the_record_is_json_and_names_files() -> None:
    features, labels = clouds()
    wrong, _ = planted(labels, 30)
    report = find_suspicious_labels(wrong, CLASSES, features=features)
    plain = json.loads(json.dumps(report.to_dict(5), allow_nan=False))
    assert len(plain["worst"]) == 5
    assert plain["photos"] == plain["judged"] == 400
    files = [f"leaf {row}.jpg" for row in range(400)]
    first = report.order[0]
    assert any(f"leaf {first}.jpg: labelled" in line for line in report.lines(files))
    assert sum("labelled" in line and "row" in line for line in report.lines(most=3)) == 3


def test_two_hundred_classes_stay_readable() -> None:
    labels = np.concatenate([np.repeat(np.arange(100), 3), np.arange(100, 200)])
    features = np.random.default_rng(0).normal(size=(400, 16)).astype(np.float32)
    report: LabelReport = find_suspicious_labels(
        labels, [f"class {k}" for k in range(200)], features=features
    )
    assert len(report.not_judged) == 100
    assert "and 92 more" in report.lines()[-1]
    assert len(report.lines()) < 25


class TestConfidentJoint:
    """Against counts made by hand; the same numbers come out of cleanlab 2.9 (``calibrate=False``)."""

    PROBABILITY = np.array(
        [[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.8, 0.1, 0.1], [0.0, 0.1, 0.9],
         [0.4, 0.3, 0.3]]
    )  # fmt: skip
    LABELS = np.array([0, 0, 1, 1, 1, 2, 2])

    def test_by_hand(self) -> None:
        # Thresholds: class 0 (0.9 + 0.6) / 2 = 0.75, class 1 (0.8 + 0.7 + 0.1) / 3 = 0.533, class 2 0.6.
        joint, looks = confident_joint(self.LABELS, self.PROBABILITY)
        assert looks.tolist() == [0, -1, 1, 1, 0, 2, -1]
        assert joint.tolist() == [[1, 0, 0], [1, 2, 0], [0, 0, 1]]

    def test_equal_probabilities_reach_their_own_mean(self) -> None:
        joint, _ = confident_joint(np.array([0, 0, 0, 1, 1, 1]), np.tile([0.7, 0.3], (6, 1)))
        assert joint.tolist() == [[3, 0], [3, 0]]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"features": None}, "neither"),
        ({"features": np.zeros((3, 2), np.float32)}, "3 rows of features for 80 labels"),
        ({"features": np.full((80, 2), np.inf, np.float32)}, "NaN or infinity"),
        ({"labels": np.arange(80) % 5}, "4 classes"),
        ({"labels": np.zeros(80, dtype=np.int64)}, "cannot be compared"),
        ({"groups": ["one"] * 80}, "cannot be compared"),
        ({"groups": ["one"] * 40 + ["two"] * 40}, "3 groups"),
    ],
)
def test_what_cannot_be_judged_says_why(change: dict, says: str) -> None:
    features, labels = clouds(80)
    given = {"labels": labels, "features": features} | change
    with pytest.raises(DatasetError, match=says):
        find_suspicious_labels(given.pop("labels"), CLASSES, **given)


def test_groups_may_be_numbers() -> None:
    features, labels = clouds(80)
    one = find_suspicious_labels(labels, CLASSES, features=features, groups=np.arange(80) // 2)
    other = find_suspicious_labels(labels, CLASSES, features=features, groups=(np.arange(80) // 2).tolist())
    assert np.array_equal(one.order, other.order)


def test_a_wrong_number_of_groups() -> None:
    features, labels = clouds(80)
    with pytest.raises(EvaluationError, match="3 groups for 80"):
        find_suspicious_labels(labels, CLASSES, features=features, groups=["a", "b", "c"])
