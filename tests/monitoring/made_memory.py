"""A tiny bundle that remembers, and photographs of its domain and of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tests.fakes.tiny_bundle import CLASSES, WIDTH, tiny_calibration, write_tiny_bundle

from leafsight.bundle import MEMORY_SPLITS, Bundle, Memory, open_bundle
from leafsight.evaluation.familiarity import fit_familiarity
from leafsight.monitoring import Row

HOUR_MS = 3_600_000
NOW_MS = 1_800_000_000_000


def embeddings(
    many: int, seed: int, *, kind: int | None = None, moved: float = 0.0, spread: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """Photographs around the middle of their class, float32 ``[n, d]``, and the classes."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, len(CLASSES), many) if kind is None else np.full(many, kind)
    middle = np.eye(len(CLASSES), WIDTH)[kinds] * 2.0
    away = np.zeros(WIDTH)
    away[-1] = moved
    return (middle + 0.3 + away + spread * rng.random((many, WIDTH))).astype(np.float32), kinds


def made_memory(many: int = 900, seed: int = 0, **changes: Any) -> Memory:
    """Two photographs a group; splits and domains in turn."""
    embedding, kinds = embeddings(many, seed)
    splits = np.array(
        [MEMORY_SPLITS.index(("train", "calibration", "test")[n // 2 % 3]) for n in range(many)]
    )
    values: dict[str, Any] = {
        "backbone": "ab" * 32,
        "base_classes": len(CLASSES),
        "domain_names": ("field", "lab"),
        "embedding": embedding,
        "label": kinds.astype(np.int64),
        "split": splits,
        "group": np.arange(many) // 2,
        "domain": np.arange(many) % 2,
        "contributed": np.zeros(many, bool),
        "pixel_hash": np.zeros(many, np.uint64),
        "look_hash": np.zeros(many, np.uint64),
    }
    return Memory(**(values | changes))


def remembering_bundle(path: Path, memory: Memory | None = None, **changes: Any) -> Bundle:
    """A bundle with a memory, and with a familiarity that fits it."""
    own = memory or made_memory()
    train, rest = own.rows("train"), own.rows("calibration")
    fitted = fit_familiarity(own.embedding[train], own.label[train], own.embedding[rest], dims=4)
    calibration = tiny_calibration(familiarity=fitted)
    return open_bundle(write_tiny_bundle(path, memory=own, calibration=calibration, **changes))


def rows_of(
    embedding: np.ndarray, *, each_hour: int = 4, key_id: str = "", newest_ms: int = NOW_MS, first: int = 0
) -> list[Row]:
    """Newest first, so many photographs in each hour."""
    return [
        Row(
            id=f"{first + place:032x}",
            created_ms=newest_ms - (place // each_hour) * HOUR_MS,
            key_id=key_id,
            verdict="diagnosis",
            class_key="apple/scab",
            probability=0.9,
            unfamiliarity=0.5,
            latency_ms=10.0,
            embedding=one,
        )
        for place, one in enumerate(embedding)
    ]
