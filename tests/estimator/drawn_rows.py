"""A ``LeafClassifier`` for tables of numbers, for scikit-learn's checks: each row is drawn as a picture.

The checks of scikit-learn feed tables. ``LeafClassifier`` refuses them, so its checks would be skipped. Here
a row becomes bands of grey, one for each number, and everything behind that is ours: fitting, answers, state.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from leafsight.estimator import LeafClassifier

SIDE_PX = 32
SMALL = (
    "preprocessing.side_px=32",
    "model.width=0.25",
    "stages.whole.epochs=1",
    "threads=1",
    # Bands of grey look alike; what looks alike stays together, and nothing would be left to judge by.
    "data.group_by=duplicates",
)


def pictures_of(table: np.ndarray, middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Rows as ``uint8[n, 32, 32, 3]``: one band for each number, squashed into 0..255."""
    grey = 127.5 * (1 + np.tanh((np.asarray(table, np.float64) - middle) / spread))
    bands = np.linspace(0, grey.shape[1], SIDE_PX, endpoint=False).astype(int)
    rows = np.rint(grey).astype(np.uint8)[:, bands]
    return np.ascontiguousarray(np.broadcast_to(rows[:, :, None, None], (len(rows), SIDE_PX, SIDE_PX, 3)))


class DrawnRows(LeafClassifier):
    """Tables in, the answers of a ``LeafClassifier`` out. Whether a table is whole is checked here only."""

    __module__ = __name__
    # scikit-learn wants a constructor that takes anything; the tests' checker of types would refuse it.
    __init__ = getattr(LeafClassifier.__init__, "__wrapped__", LeafClassifier.__init__)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = tags.input_tags.string = False
        tags.classifier_tags.poor_score = True  # one epoch on twenty pictures
        return tags

    def fit(self, X: Any, y: Any, groups: Any = None) -> DrawnRows:
        X = validate_data(self, X)
        self.middle_ = X.mean(axis=0, dtype=np.float64)
        self.spread_ = 1e-9 + 2 * X.std(axis=0, dtype=np.float64)
        super().fit(pictures_of(X, self.middle_, self.spread_), y, groups)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return super().predict_proba(
            pictures_of(validate_data(self, X, reset=False), self.middle_, self.spread_)
        )
