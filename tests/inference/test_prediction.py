"""``Prediction`` to plain values and back: what a server wrote is read, nonsense is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.tiny_bundle import CLASSES, GREY, RED, WIDTH, coloured

from leafsight.errors import RemoteError
from leafsight.inference import BundlePredictor, Candidate, Prediction, Predictor

SAID = {"verdict": "cannot_tell", "reason": "The best guess has a probability of only 0.40.", "model": "m"}
NAMED = {
    "verdict": "diagnosis",
    "class_name": "Apple___Apple_scab",
    "key": "apple/scab",
    "crop": "apple",
    "condition": "scab",
    "display": "Apple: scab",
    "probability": 0.97,
}
LEAF = {"class_name": "Apple___Apple_scab", "key": "apple/scab", "display": "Apple: scab", "probability": 0.4}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_what_was_written_is_read_again(anyone: Predictor) -> None:
    photos = [coloured(RED), coloured(GREY), b"no photograph"]
    for crop, heatmap in ((None, False), ("apple", True)):
        for one in anyone.predict(photos, crop=crop, heatmap=heatmap):
            plain = one.to_dict()
            again = Prediction.from_dict(json.loads(json.dumps(plain, allow_nan=False)))
            assert again == one
            assert again.to_dict() == plain
            assert (again.heatmap is None) == (one.heatmap is None)
            if again.heatmap is not None and one.heatmap is not None:
                assert again.heatmap.dtype == np.float32
                np.testing.assert_allclose(again.heatmap, one.heatmap, atol=5e-5)


def test_the_arrays_for_monitoring_and_combining_are_given_and_never_written(
    predictor: BundlePredictor,
) -> None:
    leaf, bad = predictor.predict([coloured(RED), b"no photograph"], crop="apple")
    assert leaf.embedding is not None
    assert (leaf.embedding.shape, leaf.embedding.dtype) == ((WIDTH,), np.float32)
    assert leaf.log_probabilities is not None
    assert leaf.log_probabilities.shape == (len(CLASSES),)
    assert np.exp(leaf.log_probabilities).sum() == pytest.approx(1)
    (open_,) = predictor.predict([coloured(RED)])
    assert np.exp(leaf.log_probabilities).max() == pytest.approx(open_.probability, abs=1e-9)
    assert (bad.embedding, bad.log_probabilities) == (None, None)
    for one in (leaf, bad):
        assert not {"embedding", "log_probabilities"} & set(one.to_dict())
    assert "embedding" not in repr(leaf)


def test_an_embedding_that_is_kept_does_not_keep_its_batch(predictor: BundlePredictor) -> None:
    for one in predictor.predict([coloured(RED)] * 3):
        assert one.embedding is not None
        assert one.embedding.base is None
        assert one.log_probabilities is not None
        assert one.log_probabilities.base is None


def test_unknown_keys_are_left_out_and_missing_ones_get_their_defaults() -> None:
    one = Prediction.from_dict({**SAID, "id": "0" * 32, "advice": ["apple/scab"], "new": {"deep": [1]}})
    assert one == Prediction(verdict="cannot_tell", reason=SAID["reason"], model="m")
    assert Candidate.from_dict({**LEAF, "more": 1}).to_dict() == LEAF


def test_whole_numbers_are_numbers() -> None:
    one = Prediction.from_dict({**SAID, **NAMED, "probability": 1, "timing_ms": {"network": 12}})
    assert one.probability == 1.0
    assert isinstance(one.probability, float)
    assert one.timing_ms == {"network": 12.0}


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "sure"},
        {"verdict": ["diagnosis"]},
        {"reason": None},
        {"hint": 3},
        {"model_hash": b"x"},
        {"crop_given": 1},
        {"not_leaf_probability": 1.5},
        {"not_leaf_probability": float("nan")},
        {"unfamiliarity": float("inf")},
        {"unfamiliarity": "1"},
        {"unfamiliarity": True},
        {"unfamiliarity": 10**400},
        {"top": LEAF},
        {"top": [LEAF] * 10_001},
        {"top": [{**LEAF, "probability": -0.1}]},
        {"possible": [{"class_name": "x"}]},
        {"possible": ["apple/scab"]},
        {"quality": {"sharpness": None}},
        {"quality": [1.0]},
        {"timing_ms": {1: 2.0}},
        {"error": "broken"},
        {"heatmap": []},
        {"heatmap": [[]]},
        {"heatmap": [[0.1], [0.1, 0.2]]},
        {"heatmap": [[0.1, "x"]]},
        {"heatmap": [[2.0]]},
        {"heatmap": [0.1]},
        {"heatmap": [[0.0] * 1001] * 1000},
        {"heatmap": {"media_type": "image/png", "base64": "AAAA"}},
    ],
)
def test_nonsense_is_refused_by_the_name_of_its_field(change: dict[str, Any]) -> None:
    with pytest.raises(RemoteError, match=next(iter(change))) as caught:
        Prediction.from_dict({**SAID, **change})
    assert caught.value.hint
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("name", ["verdict", "reason", "model"])
def test_what_is_needed_must_be_there(name: str) -> None:
    with pytest.raises(RemoteError, match=name):
        Prediction.from_dict({key: value for key, value in SAID.items() if key != name})


@pytest.mark.parametrize("name", ["class_name", "key", "display", "probability"])
def test_a_diagnosis_names_and_what_is_none_does_not(name: str) -> None:
    with pytest.raises(RemoteError, match=name):
        Prediction.from_dict({**SAID, **NAMED, name: None})
    with pytest.raises(RemoteError, match=name):
        Prediction.from_dict({**SAID, name: NAMED[name]})


@given(JSON, st.sampled_from([*SAID, *NAMED, "top", "possible", "quality", "error", "heatmap", "hint"]))
def test_whatever_comes_is_read_or_refused(value: object, name: str) -> None:
    """Nothing but ``RemoteError`` leaves."""
    for plain in (value, {**SAID, name: value}, {**SAID, "top": [{**LEAF, name: value}]}):
        one = None
        with suppress(RemoteError):
            one = Prediction.from_dict(plain)
        if one is not None:
            assert json.loads(json.dumps(one.to_dict(), allow_nan=False))["model"] == one.model


def test_a_jpeg_and_its_plain_values_agree(
    predictor: BundlePredictor, jpeg: Callable[[np.ndarray], bytes]
) -> None:
    (one,) = predictor.predict([jpeg(coloured(RED))])
    assert Prediction.from_dict(one.to_dict()).top == one.top
