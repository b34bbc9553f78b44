from __future__ import annotations

import numpy as np
import pytest

from leafsight.evaluation import ridge
from leafsight.evaluation.folds import group_folds
from leafsight.evaluation.ridge import PENALTIES, _fit, _solved, cosine_features, out_of_fold_scores


def clouds(n: int, c: int = 3, d: int = 8, distance: float = 4.0, seed: int = 0):
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % c
    centres = np.random.default_rng(99).normal(size=(c, d))
    centres *= distance / np.linalg.norm(centres, axis=1, keepdims=True)
    features = centres[labels] + generator.normal(size=(n, d))
    return features.astype(np.float32), labels, group_folds(labels, np.arange(n), 5)


def test_clouds_far_apart_are_told_apart() -> None:
    features, labels, folds = clouds(300, distance=8.0)
    scores = out_of_fold_scores(features, labels, folds, 3)
    assert (scores.argmax(axis=1) == labels).mean() > 0.98
    assert scores.dtype == np.float32


def test_noise_is_not_learned() -> None:
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 4, 800)
    features = cosine_features(generator.normal(size=(800, 10)).astype(np.float32), 256)
    folds = group_folds(labels, np.arange(800), 5)
    right = (out_of_fold_scores(features, labels, folds, 4).argmax(axis=1) == labels).mean()
    assert right == pytest.approx(0.25, abs=0.05)


def test_copies_on_two_sides_would_be_learned_and_groups_prevent_it() -> None:
    generator = np.random.default_rng(2)
    one = generator.normal(size=(100, 20)).astype(np.float32)
    features = cosine_features(np.repeat(one, 4, axis=0), 512)
    labels = np.repeat(generator.integers(0, 2, 100), 4)
    apart = group_folds(labels, np.repeat(np.arange(100), 4), 5)
    mixed = group_folds(labels, np.arange(400), 5)
    honest, leaking = (
        (out_of_fold_scores(features, labels, folds, 2).argmax(axis=1) == labels).mean()
        for folds in (apart, mixed)
    )
    assert honest < 0.65
    assert leaking > 0.9


def test_a_rare_class_weighs_as_much_as_a_common_one() -> None:
    features, labels, _ = clouds(600, c=2, distance=2.0)
    rows = np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[:20]])
    features, labels = features[rows], labels[rows]
    scores = out_of_fold_scores(features, labels, group_folds(labels, np.arange(len(rows)), 5), 2)
    assert (scores[labels == 1].argmax(axis=1) == 1).mean() > 0.7


def test_the_answer_does_not_depend_on_the_unit() -> None:
    features, labels, folds = clouds(200)
    answers = [
        out_of_fold_scores(cosine_features(features * np.float32(by), 64), labels, folds, 3).argmax(axis=1)
        for by in (1.0, 100.0)
    ]
    assert (answers[0] == answers[1]).mean() > 0.98


def test_cosines_approximate_a_kernel() -> None:
    features, _, _ = clouds(40)
    z = cosine_features(features, 4096)
    assert np.allclose((z * z).sum(axis=1), 1.0, atol=0.06)
    near, far = z @ z[0], ((features - features[0]) ** 2).sum(axis=1)
    assert np.corrcoef(near, far)[0, 1] < -0.9


def test_a_short_last_chunk_weighs_no_more_than_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    features, _, _ = clouds(101)
    features[-1] *= 20
    whole = cosine_features(features, 64)
    monkeypatch.setattr(ridge, "CHUNK_ROWS", 50)
    assert np.allclose(cosine_features(features, 64), whole, atol=1e-4)


def test_equal_photographs_break_nothing() -> None:
    features = np.ones((30, 5), dtype=np.float32)
    labels = np.arange(30) % 2
    scores = out_of_fold_scores(cosine_features(features, 16), labels, group_folds(labels, np.arange(30)), 2)
    assert np.isfinite(scores).all()


def test_penalties_fall() -> None:
    assert list(PENALTIES) == sorted(PENALTIES, reverse=True)


def test_the_judged_fold_is_never_looked_at() -> None:
    # Labels of one fold change places (the classes keep their sizes): its own scores must not notice.
    features, labels, folds = clouds(300, distance=1.0)
    scores = out_of_fold_scores(features, labels, folds, 3)
    for fold in range(5):
        inside = np.flatnonzero(folds == fold)
        shuffled = labels.copy()
        shuffled[inside] = labels[np.random.default_rng(fold).permutation(inside)]
        again = out_of_fold_scores(features, shuffled, folds, 3)
        assert np.allclose(again[inside], scores[inside], atol=1e-4)
        assert not np.allclose(again[folds != fold], scores[folds != fold], atol=1e-2)


@pytest.mark.parametrize(("precision", "off"), [(np.float32, 1e-3), (np.float64, 1e-10)])
@pytest.mark.parametrize("d", [1, 63, 64, 65, 200])
def test_symmetric_systems_are_solved(d: int, precision: type, off: float) -> None:
    generator = np.random.default_rng(d)
    x, b = generator.normal(size=(3 * d, d)), generator.normal(size=(d, 4))
    a = x.T @ x + np.eye(d)
    found = _solved(np.concatenate([a, b], axis=1).astype(precision))
    assert found.dtype == precision
    wanted = np.linalg.solve(a, b)
    assert np.abs(found - wanted).max() < off * np.abs(wanted).max()


def test_rounding_that_makes_a_system_indefinite_is_survived() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(40, 150))
    sums = np.concatenate([x.T @ x - 1e-3 * np.eye(150), generator.normal(size=(150, 2))], axis=1)
    with pytest.raises(np.linalg.LinAlgError):
        _solved(sums.copy())
    assert np.isfinite(_fit(sums, PENALTIES[-1], single=False)).all()
