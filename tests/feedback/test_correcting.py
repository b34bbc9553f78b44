"""Corrections of served predictions go into quarantine."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from tests.fakes.tiny_bundle import RED
from tests.feedback.made_world import BLIGHT, SCAB, World, drawn

from leafsight.feedback import contribution_of_correction
from leafsight.state import Blobs, ContributionRecord, CorrectionRecord, PredictionRecord, State, new_id


def predicted(state: State, blobs: Blobs, world: World, data: bytes, **changes: Any) -> PredictionRecord:
    """A prediction whose photograph is kept."""
    (said,) = world.predictor.predict([data])
    assert said.embedding is not None
    one = new_id()
    values: dict[str, Any] = {
        "id": one, "created_ms": state.now(), "model_hash": said.model_hash, "model_name": "tiny",
        "verdict": said.verdict, "photo_sha256": hashlib.sha256(data).hexdigest(), "answer": {},
        "latency_ms": 1.0,
        "photo_blob": f"predictions/{one}.png", "embedding": said.embedding.astype(np.float16),
        "quality": dict(said.quality), "key_id": "k", **changes,
    }  # fmt: skip
    record = PredictionRecord(**values)
    if record.photo_blob is not None:
        blobs.put(record.photo_blob, data)
    state.predictions.add_many([record])
    return record


def corrected(
    state: State, blobs: Blobs, world: World, prediction: PredictionRecord, key: str | None
) -> ContributionRecord | None:
    correction = CorrectionRecord(
        id=new_id(), prediction_id=prediction.id, created_ms=state.now(), right=False, class_key=key
    )
    return contribution_of_correction(state, blobs, prediction, correction, world.champion.bundle)


def test_a_correction_is_a_contribution_that_the_champion_doubts(
    state: State, blobs: Blobs, learned: World
) -> None:
    data = drawn(RED, 1)
    made = corrected(state, blobs, learned, predicted(state, blobs, learned, data), "tomato/early_blight")
    assert made is not None
    one = state.contributions.get(made.id)
    assert one is not None
    assert (one.label, one.state, one.key_id, one.upload_id) == (BLIGHT, "waiting", "k", None)
    assert one.prediction_id is not None
    assert [f["kind"] for f in one.findings] == ["label_doubt"]
    assert blobs.get(one.blob) == data
    assert one.blob == f"contributions/{hashlib.sha256(data).hexdigest()}.png"
    assert one.embedded_by == learned.champion.backbone


def test_done_twice_it_is_there_once(state: State, blobs: Blobs, learned: World) -> None:
    prediction = predicted(state, blobs, learned, drawn(RED, 2))
    correction = CorrectionRecord(
        id=new_id(), prediction_id=prediction.id, created_ms=0, right=False, class_key="apple/scab"
    )
    bundle = learned.champion.bundle
    made = [contribution_of_correction(state, blobs, prediction, correction, bundle) for _ in range(2)]
    (one,) = state.contributions.page().records
    assert made == [one, one]
    assert (one.id, one.label, one.findings) == (correction.id, SCAB, ())
    assert corrected(state, blobs, learned, prediction, "tomato/early_blight") is None, "it is there already"


def test_the_locked_test_is_refused_here_too(state: State, blobs: Blobs, learned: World) -> None:
    data = learned.remembered["test"][SCAB][0]
    made = corrected(state, blobs, learned, predicted(state, blobs, learned, data), "apple/scab")
    assert made is not None
    assert (made.state, made.decided_by) == ("rejected", "rule")


def test_without_a_class_or_a_photograph_there_is_nothing_to_learn(
    state: State, blobs: Blobs, learned: World
) -> None:
    data = drawn(RED, 3)
    assert corrected(state, blobs, learned, predicted(state, blobs, learned, data), None) is None
    none = predicted(state, blobs, learned, data, photo_blob=None)
    assert corrected(state, blobs, learned, none, "apple/scab") is None
    gone = predicted(state, blobs, learned, data)
    blobs.delete(str(gone.photo_blob))
    assert corrected(state, blobs, learned, gone, "apple/scab") is None
    assert state.contributions.page().records == ()


def test_what_another_model_said_is_not_judged_yet(state: State, blobs: Blobs, learned: World) -> None:
    old = predicted(state, blobs, learned, drawn(RED, 4), model_hash="0" * 64)
    made = corrected(state, blobs, learned, old, "apple/scab")
    assert made is not None
    assert made.embedding is None
    assert [(f["kind"], f["why"], f["blocks"]) for f in made.findings] == [("label_doubt", "unseen", True)]
