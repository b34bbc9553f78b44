"""Some days of answers, written into a database as a service would have."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from leafsight.state import CorrectionRecord, PredictionRecord, open_state

DAY_MS = 86_400_000
NAMES = {
    "apple/scab": "Apple: scab",
    "apple/healthy": "Apple: healthy",
    "tomato/early_blight": "Tomato: early blight",
}
VERDICTS = ("diagnosis", "cannot_tell", "not_a_leaf")


def write_history(folder: Path, model: str) -> None:
    """Ten days of answers; of the last two days they look otherwise. Six are corrected, two as wrong."""
    rng, now_ms = np.random.default_rng(1), time.time_ns() // 1_000_000
    records = [an_answer(rng, now_ms, model, at) for at in range(400)]
    with open_state(f"sqlite:///{folder / 'leafsight.db'}") as state:
        state.predictions.add_many(records)
        for at in range(6):
            state.corrections.add(
                CorrectionRecord(
                    id=f"{now_ms:012x}{at:020x}",
                    prediction_id=records[-1 - at].id,
                    created_ms=now_ms,
                    right=at > 1,
                    class_key="apple/scab" if at < 2 else None,
                    note="Seen under the lens" if at == 0 else None,
                )
            )


def an_answer(rng: np.random.Generator, now_ms: int, model: str, at: int) -> PredictionRecord:
    """One; from the 250th on of the last two days."""
    late = at >= 250
    days = rng.uniform(0, 2) if late else rng.uniform(4, 11)
    moment = now_ms - int(days * DAY_MS)
    verdict = str(rng.choice(VERDICTS, p=[0.4, 0.4, 0.2] if late else [0.8, 0.15, 0.05]))
    key = str(rng.choice(list(NAMES))) if verdict == "diagnosis" else None
    probability = float(rng.uniform(0.6, 0.99))
    bright = float(rng.normal(0.35 if late else 0.55, 0.1))
    return PredictionRecord(
        id=f"{moment:012x}{rng.integers(2**63):020x}",
        created_ms=moment,
        model_hash=model,
        model_name="tiny",
        verdict=verdict,
        class_key=key,
        probability=probability if key else None,
        photo_sha256="a" * 64,
        latency_ms=float(rng.gamma(4, 5)),
        answer=_plain(verdict, key, probability, model, at),
        quality={"sharpness": float(rng.gamma(2, 100)), "brightness": bright},
        embedding=(rng.standard_normal(5) + late).astype(np.float16),
    )


def _plain(verdict: str, key: str | None, probability: float, model: str, at: int) -> dict[str, Any]:
    first = {"class_name": "a", "key": "apple/scab", "display": "Apple: scab", "probability": probability}
    crop, _, condition = (key or "").partition("/")
    return {
        "verdict": verdict,
        "reason": "the first class is probable enough",
        "hint": "",
        "model": "tiny",
        "model_hash": model,
        "class_name": key,
        "key": key,
        "crop": crop or None,
        "condition": condition or None,
        "display": NAMES[key] if key else None,
        "probability": probability if key else None,
        "top": [first],
        "possible": [],
        "photo": f"IMG_{at:04}.jpg",
        "advice": [],
        "crop_given": None,
        "not_leaf_probability": 0.1,
        "unfamiliarity": 0.5,
        "timing_ms": {},
        "error": None,
    }
