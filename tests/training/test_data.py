from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.training.tiny import CLASSES, tiny_data

from leafsight.errors import TrainingError
from leafsight.training.data import TrainingData


def changed(**changes: Any) -> TrainingData:
    return replace(tiny_data(), **changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"labels": np.zeros(5, np.int64)}, "60 images but 5 labels"),
        ({"labels": np.full(60, 3)}, "labels 3..3 for 3 classes"),
        ({"labels": np.zeros(60, np.int64)}, "one class only, 'brown'"),
        ({"rows": {"train": np.arange(3)}}, "no photographs in split 'valid'"),
        ({"rows": {"train": np.arange(40), "valid": np.arange(39, 60)}}, "both train and valid, such as 39"),
        ({"rows": {"train": np.arange(40), "valid": np.array([60])}}, "row 60 of 60"),
        ({"images": np.zeros((60, 8, 9, 3), np.uint8)}, "9 x 8 px, not square"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(TrainingError, match=told):
        changed(**changes)


def test_rows_that_are_not_used_may_have_no_label() -> None:
    labels = tiny_data().labels.copy()
    labels[59] = -1
    data = changed(labels=labels, rows={"train": np.arange(40), "valid": np.arange(40, 59)})
    assert len(data.valid_rows) == 19


def test_the_fingerprint_sees_labels_rows_classes_and_pixels() -> None:
    data = tiny_data()
    labels, images = data.labels.copy(), data.images.copy()
    labels[0] = (labels[0] + 1) % 3
    images[0, 0, 0, 0] ^= 1
    others = [
        changed(labels=labels),
        changed(images=images),
        changed(classes=("a", *CLASSES[1:])),
        changed(rows={"train": np.arange(39), "valid": np.arange(40, 60)}),
        changed(given_fingerprint="photographs of Tuesday"),
    ]
    assert tiny_data().fingerprint == data.fingerprint
    assert len({data.fingerprint, *(other.fingerprint for other in others)}) == 6


def test_names_of_rows() -> None:
    assert tiny_data().names_of([3, 1]) == ["row 3", "row 1"]
    assert changed(names=[f"{i}.jpg" for i in range(60)]).names_of([2]) == ["2.jpg"]
