"""The tools of scikit-learn around the classifier: cross-validation, search, pipelines, groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'leafsight[sklearn]'")

from sklearn import config_context
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import Pipeline
from tests.estimator.leaves import SMALL, Leaves, drawn_leaves

from leafsight.dataset import PhotoIndex
from leafsight.estimator import LeafClassifier

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("plain_calibration")]
WIDER = (*SMALL, "model.width=0.5")


@pytest.fixture(scope="module")
def leaves() -> Leaves:
    return drawn_leaves()


@pytest.fixture
def classifier(tmp_path: Path) -> LeafClassifier:
    return LeafClassifier("simple-cnn", overrides=SMALL, work_dir=tmp_path / "work")


def fits(tmp_path: Path) -> list[PhotoIndex]:
    return [PhotoIndex.load(path) for path in sorted(tmp_path.glob("work/fit-*/data/index.parquet"))]


def test_cross_validation(classifier: LeafClassifier, leaves: Leaves) -> None:
    scores = cross_val_score(classifier, leaves.photos, leaves.classes, cv=2, error_score="raise")
    assert scores.shape == (2,)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_groups_outside_and_inside(classifier: LeafClassifier, leaves: Leaves, tmp_path: Path) -> None:
    """Groups reach the folds by ``groups`` and the split inside every fit by ``params``."""
    scores = cross_val_score(
        classifier,
        leaves.photos,
        leaves.classes,
        groups=leaves.groups,
        params={"groups": leaves.groups},
        cv=GroupKFold(2),
        error_score="raise",
    )
    assert len(scores) == 2
    learned = fits(tmp_path)
    assert len(learned) == 2
    first, second = (set(index.column("given_group")) for index in learned)
    assert not first & second
    assert first | second == set(leaves.groups)


def test_groups_by_metadata_routing(classifier: LeafClassifier, leaves: Leaves, tmp_path: Path) -> None:
    with config_context(enable_metadata_routing=True):
        routed = classifier.set_fit_request(groups=True)
        cross_val_score(
            routed,
            leaves.photos,
            leaves.classes,
            params={"groups": leaves.groups},
            cv=GroupKFold(2),
            error_score="raise",
        )
    assert all(None not in index.column("given_group") for index in fits(tmp_path))


def test_a_search_over_the_recipe(classifier: LeafClassifier, leaves: Leaves) -> None:
    search = GridSearchCV(
        classifier, {"overrides": [SMALL, WIDER]}, cv=2, scoring="neg_log_loss", error_score="raise"
    )
    search.fit(list(leaves.photos), leaves.classes)
    best = search.best_estimator_
    assert best.overrides in (SMALL, WIDER)
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
    assert log_loss(leaves.classes, best.predict_proba(leaves.photos), labels=best.classes_) < 5


def test_inside_a_pipeline(classifier: LeafClassifier, leaves: Leaves) -> None:
    pipeline = Pipeline([("nothing", "passthrough"), ("leaf", classifier)])
    pipeline.fit(leaves.photos, leaves.classes, leaf__groups=leaves.groups)
    assert pipeline.predict(leaves.photos[:3]).shape == (3,)
    assert 0 <= pipeline.score(leaves.photos, leaves.classes) <= 1
    assert pipeline.classes_.tolist() == ["Rust", "healthy"]


@pytest.mark.parametrize(
    "labels",
    [np.repeat([10, 9], 20), np.repeat([True, False], 20), np.repeat(["ß", "a"], 20).astype(object)],
    ids=["numbers", "truth values", "objects"],
)
def test_labels_of_other_kinds_come_back_as_they_were(
    classifier: LeafClassifier, leaves: Leaves, labels: np.ndarray
) -> None:
    fitted = classifier.fit(leaves.photos, labels)
    assert fitted.classes_.tolist() == sorted(set(labels.tolist()))
    answers = fitted.predict(leaves.photos)
    assert answers.dtype == fitted.classes_.dtype
    assert set(answers.tolist()) <= set(labels.tolist())
    top = [answer.top[0].class_name for answer in fitted.verdicts(leaves.photos)]
    assert top == [str(label) for label in answers.tolist()]
