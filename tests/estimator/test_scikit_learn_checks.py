"""What scikit-learn asks of every estimator: its own checks, on rows of numbers drawn as pictures."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any
from unittest import SkipTest

import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'leafsight[sklearn]'")

from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator
from tests.estimator.drawn_rows import SMALL, DrawnRows

from leafsight.estimator import LeafClassifier

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "estimator.md").read_text()
CHECKS = list(estimator_checks_generator(DrawnRows("simple-cnn", overrides=SMALL, random_state=0)))


def name_of(check: Any) -> str:
    return str(check.func.__name__)


def titled(pair: Any) -> str:
    words = [f"{key}={value}" for key, value in pair[1].keywords.items()]
    return "-".join([name_of(pair[1]), *words])


@pytest.mark.slow
@pytest.mark.usefixtures("plain_calibration")
@pytest.mark.parametrize("pair", CHECKS, ids=titled)
def test_a_check_of_scikit_learn(pair: Any) -> None:
    estimator, check = pair
    try:
        check(estimator)
    except SkipTest as reason:
        assert f"`{name_of(check)}`" in PAGE, "the page tells which checks are skipped, and why"
        pytest.skip(str(reason))


def test_the_page_lists_every_check() -> None:
    named = set(re.findall(r"`(check_\w+)`", PAGE))
    assert {name_of(check) for _, check in CHECKS} - named == set()


def test_of_the_classifier_itself_scikit_learn_checks_only_that_it_can_be_cloned() -> None:
    """Its checks feed tables, and a classifier of photographs says that it takes none."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        results = check_estimator(LeafClassifier())
    assert [(one["check_name"], one["status"]) for one in results] == [
        ("check_estimator_cloneable", "passed")
    ]
    assert any(one.category is SkipTestWarning for one in said)
