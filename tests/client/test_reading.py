"""Answers that do not fit are refused with the name of the field; unknown fields are let pass."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import RED, coloured

from leafsight.client import calls
from leafsight.client.reading import heatmap_layer, read_answer
from leafsight.client.replies import Reply
from leafsight.errors import RemoteError

JSON = {"content-type": "application/json"}


def one_answer() -> dict[str, Any]:
    plain = FakePredictor().predict([coloured(RED)])[0].to_dict()
    plain |= {"id": "0" * 32, "photo": "a.jpg", "recorded": True, "advice": [], "heatmap": None}
    model = {"name": "fake", "hash": "0"}
    return {
        "request_id": "r",
        "model": model,
        "predictions": [plain],
        "combined": None,
        "timing_ms": {"total": 1},
    }


def read(plain: Any, photographs: int = 1, *, layers: bool = False) -> Any:
    return read_answer(photographs, layers=layers)(Reply(200, JSON, json.dumps(plain).encode()))


def test_an_answer_as_the_contract_has_it() -> None:
    plain = one_answer()
    plain["of_the_future"] = plain["predictions"][0]["of_the_future"] = {"a": [1]}
    found = read(plain)
    assert found.predictions[0].prediction.key == "apple/scab"
    assert found.timing_ms == {"total": 1.0}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda a: a.pop("request_id"), "request_id"),
        (lambda a: a.update(request_id=7), "request_id"),
        (lambda a: a.update(model="fake"), "model"),
        (lambda a: a["model"].pop("hash"), "model.hash"),
        (lambda a: a.update(predictions={}), "predictions"),
        (lambda a: a.update(predictions=[None]), "predictions.0"),
        (lambda a: a.update(predictions=[]), "predictions"),
        (lambda a: a["predictions"].append(a["predictions"][0]), "predictions"),
        (lambda a: a.update(combined=[1]), "combined"),
        (lambda a: a.update(combined={"photographs": 2}), "combined"),
        (lambda a: a.update(timing_ms={"total": "1"}), "timing_ms.total"),
        (lambda a: a["predictions"][0].update(verdict=""), r"predictions\[0\].*verdict"),
        (lambda a: a["predictions"][0].update(probability="0.9"), r"predictions\[0\].*probability"),
        (lambda a: a["predictions"][0].update(probability=9), r"predictions\[0\].*probability"),
        (lambda a: a["predictions"][0].update(recorded="yes"), r"predictions\[0\].*recorded"),
        (lambda a: a["predictions"][0].update(id=7), r"predictions\[0\].*id"),
        (lambda a: a["predictions"][0].update(advice="card"), r"predictions\[0\].*advice"),
        (lambda a: a["predictions"][0].update(heatmap=[[0.5]]), r"predictions\[0\]\.heatmap"),
    ],
)
def test_what_does_not_fit_is_named(change, field: str) -> None:
    plain = one_answer()
    change(plain)
    with pytest.raises(RemoteError, match=field) as caught:
        read(plain, layers=True)
    assert caught.value.hint


def test_a_verdict_of_a_newer_server_is_no_diagnosis_and_stops_no_other_photograph() -> None:
    plain = one_answer()
    assert plain["predictions"][0]["key"]
    plain["predictions"][0]["verdict"] = "seedling"
    (first, *_) = read(plain, layers=True).predictions
    assert first.prediction.verdict == "cannot_tell"
    assert first.prediction.key is None
    assert "'seedling', which is not known here" in first.prediction.reason
    assert first.prediction.hint


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
READERS = [
    calls.predict([b"x"], "t", heatmap="layer"), calls.models(), calls.model("a"), calls.conditions(),
    calls.prediction("a"), calls.predictions(), calls.correct("a", "t", True, None, None), calls.job("a"),
    calls.jobs(), calls.insight(), calls.health(), calls.ready(), calls.uploads(), calls.reports(),
    calls.report("a"), calls.make_report("t"), calls.load(),
]  # fmt: skip


def refusal(call: Any, body: bytes) -> RemoteError | None:
    try:
        call.read(Reply(200, JSON, body))
    except RemoteError as error:
        return error
    return None


@settings(max_examples=50)
@given(body=st.binary(max_size=60) | PLAIN.map(lambda plain: json.dumps(plain).encode()))
def test_whatever_a_server_says_only_our_errors_come_out(body: bytes) -> None:
    for call in READERS:
        error = refusal(call, body)
        assert error is None or error.message.isprintable()


@settings(max_examples=60)
@given(data=st.data())
def test_one_wrong_value_anywhere_is_refused_or_harmless(data: st.DataObject) -> None:
    plain = one_answer()
    place: Any = data.draw(st.sampled_from([plain, plain["model"], plain["predictions"][0]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(PLAIN)
    try:
        found = read(plain, layers=True)
    except RemoteError:
        return
    assert json.dumps(found.predictions[0].prediction.to_dict(), allow_nan=False)


def as_base64(picture: Image.Image, kind: str = "PNG") -> str:
    file = io.BytesIO()
    picture.save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def test_a_layer_is_read() -> None:
    heat = np.array([[0, 51], [255, 102]], np.uint8)
    found = heatmap_layer(as_base64(Image.fromarray(heat)), "h")
    assert found.dtype == np.float32
    assert np.allclose(found, [[0, 0.2], [1, 0.4]])


@pytest.mark.parametrize(
    "text",
    [
        "", "?", "AAAA", base64.b64encode(b"\x89PNG\r\n\x1a\n cut").decode(),
        as_base64(Image.new("RGB", (4, 4))), as_base64(Image.new("L", (4, 4)), "GIF"),
        as_base64(Image.new("L", (5000, 1))), as_base64(Image.new("L", (64, 64)))[:80],
        as_base64(Image.new("I;16", (4, 4))),
    ],
)  # fmt: skip
def test_what_is_no_layer(text: str) -> None:
    with pytest.raises(RemoteError, match="somewhere"):
        heatmap_layer(text, "somewhere")


@settings(max_examples=50)
@given(data=st.data())
def test_a_damaged_layer_is_read_or_refused(data: st.DataObject) -> None:
    good = bytearray(base64.b64decode(as_base64(Image.new("L", (7, 7)))))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = heatmap_layer(base64.b64encode(bytes(good)).decode(), "h")
    except RemoteError:
        return
    assert found.ndim == 2
