"""Records for tests, each field set, so that what is lost is seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from leafsight.state import (
    ContributionRecord,
    CorrectionRecord,
    JobRecord,
    PredictionRecord,
    ShadowRecord,
    State,
    UploadRecord,
    new_id,
)

FILLED = {
    "answers": 1, "contributions": 1, "corrections": 1, "declared_classes": 1, "jobs": 1, "keys": 1,
    "marks": 1, "predictions": 2, "shadows": 1, "uploads": 1, "usage": 1,
}  # fmt: skip
"""How many rows ``fill`` makes that backups hold."""
T0 = 1_790_000_000_000  # 2026-09-21
DAY = 86_400_000


def a_prediction(**changes: Any) -> PredictionRecord:
    """A diagnosis of tomato early blight."""
    fields: dict[str, Any] = {
        "id": new_id(),
        "created_ms": T0,
        "model_hash": "5" * 64,
        "model_name": "plant-leaves",
        "verdict": "diagnosis",
        "class_key": "tomato/early_blight",
        "probability": 0.875,
        "crop_given": "tomato",
        "plant_id": "pot 3",
        "key_id": None,
        "photo_sha256": "a" * 64,
        "photo_blob": None,
        "answer": {"verdict": "diagnosis", "top": [{"key": "tomato/early_blight", "probability": 0.875}]},
        "embedding": np.arange(8, dtype=np.float16) / 8,
        "quality": {"sharpness": 12.5},
        "latency_ms": 21.5,
    }
    return PredictionRecord(**{**fields, **changes})


def a_correction(prediction_id: str, **changes: Any) -> CorrectionRecord:
    """Somebody says that it is late blight."""
    fields: dict[str, Any] = {
        "id": new_id(),
        "prediction_id": prediction_id,
        "created_ms": T0,
        "right": False,
        "class_key": "tomato/late_blight",
        "note": "Flecken, größer als gestern 🍅",
        "key_id": None,
    }
    return CorrectionRecord(**{**fields, **changes})


def a_job(**changes: Any) -> JobRecord:
    """A job that waits."""
    fields: dict[str, Any] = {
        "id": new_id(),
        "kind": "check-upload",
        "state": "queued",
        "created_ms": T0,
        "updated_ms": T0,
        "request": {"upload": "u"},
    }
    return JobRecord(**{**fields, **changes})


def an_upload(**changes: Any) -> UploadRecord:
    """A zip that waits."""
    one = new_id()
    fields: dict[str, Any] = {
        "id": one,
        "created_ms": T0,
        "name": "leaves.zip",
        "bytes": 12345,
        "sha256": "b" * 64,
        "media_type": "application/zip",
        "label": "tomato/early_blight",
        "blob": f"uploads/{one}.zip",
        "key_id": None,
        "state": "waiting",
    }
    return UploadRecord(**{**fields, **changes})


def a_contribution(**changes: Any) -> ContributionRecord:
    """A photograph that waits, with a finding."""
    one = changes.get("id", new_id())
    fields: dict[str, Any] = {
        "id": one,
        "created_ms": T0,
        "name": f"Tomate/grün {one[-6:]}.jpg",
        "class_name": "Tomate",
        "label": "Tomato___Early_blight",
        "photo_sha256": "c" * 64,
        "pixel_hash": "d" * 64,
        "look_hash": 2**64 - 1,
        "blob": f"contributions/{one}.jpg",
        "group_id": one,
        "findings": ({"kind": "blurred", "said": "it is blurred", "blocks": False, "sharpness": 1.5},),
        "quality": {"sharpness": 1.5},
        "embedding": np.arange(8, dtype=np.float16) / 8,
        "embedded_by": "e" * 64,
    }
    return ContributionRecord(**{**fields, **changes})


def a_shadow(prediction_id: str, **changes: Any) -> ShadowRecord:
    """The same answer as ``a_prediction``, by another model."""
    fields: dict[str, Any] = {
        "id": new_id(),
        "created_ms": T0,
        "prediction_id": prediction_id,
        "model_hash": "7" * 64,
        "verdict": "diagnosis",
        "class_key": "tomato/early_blight",
        "probability": 0.75,
        "latency_ms": 20.5,
    }
    return ShadowRecord(**{**fields, **changes})


def fill(state: State) -> str:
    """A row or more in every table; the id of the prediction."""
    first, second = a_prediction(photo_blob="photos/a.jpg"), a_prediction(embedding=None, class_key=None)
    state.predictions.add_many([first, second])
    state.corrections.add(a_correction(first.id))
    state.jobs.add(a_job(progress={"done": 0.5}, result={"n": 1}))
    upload = an_upload()
    state.uploads.add(upload)
    state.contributions.add_many([a_contribution(upload_id=upload.id, prediction_id=first.id)])
    state.declared.add("Kürbis", "the greenhouse", "since August")
    state.shadows.add_many([a_shadow(first.id)])
    state.marks.put("watch", {"since": T0, "of": None})
    state.keys.make("the greenhouse", ["predict", "upload"], 60, 1000)
    state.usage.count(None, "day", 7, T0)
    state.answers.begin("k", None, "POST /v1/uploads", "c" * 64)
    state.answers.finish("k", None, "POST /v1/uploads", 202, {"location": "/v1/jobs/1"}, b"\x00\xff{}")
    return first.id


def all_rows(state: State) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in order."""
    from sqlalchemy import select

    from leafsight.state.tables import METADATA

    with state.database.reading() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in METADATA.sorted_tables
        }
