"""The head in torch weights: read back by the library itself."""

from __future__ import annotations

import json

import numpy as np
import pytest

from leafsight.retraining.head import Head
from leafsight.retraining.torch_weights import weights_with_head

safetensors = pytest.importorskip("safetensors.numpy")
HEAD = Head(np.arange(15, dtype=np.float32).reshape(3, 5) / 8, np.arange(3, dtype=np.float32))
CLASSES = ("a", "b", "new|\u00fc")


def written(**changes: np.ndarray) -> bytes:
    tensors = {
        "features.0.weight": np.ones((4, 3), np.float16),
        "features.0.count": np.array([7], np.int64),
        "head.1.weight": np.zeros((2, 5), np.float16),
        "head.1.bias": np.zeros(2, np.float16),
        **changes,
    }
    texts = {"leafsight.network": json.dumps({"n_classes": 2, "mean": [1]}), "leafsight.classes": '["a","b"]'}
    data: bytes = safetensors.save(tensors, texts)
    return data


def test_the_library_reads_the_new_head_and_the_old_rest() -> None:
    data = weights_with_head(written(), HEAD, CLASSES)
    assert data is not None
    found = safetensors.load(data)
    np.testing.assert_array_equal(found["head.1.weight"], HEAD.weight.astype(np.float16))
    np.testing.assert_array_equal(found["head.1.bias"], HEAD.bias.astype(np.float16))
    np.testing.assert_array_equal(found["features.0.weight"], np.ones((4, 3)))
    np.testing.assert_array_equal(found["features.0.count"], [7])
    texts = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    assert json.loads(texts["leafsight.classes"]) == list(CLASSES)
    assert json.loads(texts["leafsight.network"]) == {"n_classes": 3, "mean": [1]}


def test_the_same_head_gives_the_same_bytes() -> None:
    assert weights_with_head(written(), HEAD, CLASSES) == weights_with_head(written(), HEAD, CLASSES)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense" * 10,
        written(**{"head.4.weight": np.zeros((2, 5), np.float16)}),
        written(**{"head.1.weight": np.zeros((2, 6), np.float16)}),
        written(**{"head.1.bias": np.zeros((2, 1), np.float16)}),
    ],
    # Not the bytes: the order of a header is by chance, and two processes would not agree on the tests.
    ids=["nothing", "nonsense", "two dense layers", "another width", "a bias of two"],
)
def test_what_has_no_such_head_is_left_out(data: bytes) -> None:
    assert weights_with_head(data, HEAD, CLASSES) is None
