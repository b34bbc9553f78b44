"""What is remembered, as records.

Enters and leaves: plain values. Times are milliseconds since 1970 in UTC (``..._ms``), ids are those of
``ids``. It does not know how the records are stored; the longest values are those of ``tables``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np

Record = TypeVar("Record")

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
JOB_STATES: tuple[JobState, ...] = ("queued", "running", "done", "failed", "cancelled")
Scope = Literal["predict", "upload", "admin"]
SCOPES: tuple[Scope, ...] = ("predict", "upload", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRecord:
    """One answer of the model.

    Attributes:
        id: of the prediction.
        created_ms: when it was made.
        model_hash: content hash of the bundle.
        model_name: its name.
        key_id: whose key asked, or None without keys.
        plant_id: what the sender calls the plant, or None.
        verdict: a verdict of room ``inference``.
        class_key: the class of the taxonomy; of a diagnosis only.
        probability: of that class, 0..1; of a diagnosis only.
        crop_given: key of the crop that the sender named.
        photo_sha256: of the photograph's bytes as sent, hex.
        photo_blob: the name of the stored photograph, or None when it was not stored.
        answer: the whole answer as plain values.
        embedding: float16 ``[d]``, or None.
        quality: measures of the photograph.
        latency_ms: from the whole request to the answer.
    """

    id: str
    created_ms: int
    model_hash: str
    model_name: str
    verdict: str
    photo_sha256: str
    answer: Mapping[str, Any]
    latency_ms: float
    key_id: str | None = None
    plant_id: str | None = None
    class_key: str | None = None
    probability: float | None = None
    crop_given: str | None = None
    photo_blob: str | None = None
    embedding: np.ndarray | None = field(default=None, compare=False, repr=False)
    quality: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRecord:
    """What a person says a photograph really shows; ``right`` when the prediction was."""

    id: str
    prediction_id: str
    created_ms: int
    right: bool
    class_key: str | None = None
    note: str | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """Long work: what was asked (``request``), how far it is, and what came of it."""

    id: str
    kind: str
    state: JobState
    created_ms: int
    updated_ms: int
    request: Mapping[str, Any]
    progress: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRecord:
    """A file that somebody sent; ``blob`` is the name under which it is stored, ``state`` one small word."""

    id: str
    created_ms: int
    name: str
    bytes: int
    sha256: str
    media_type: str
    blob: str
    state: str
    label: str | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key without its secret. ``None`` for a limit means that there is none."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_ms: int
    revoked_ms: int | None = None
    rate_per_minute: int | None = None
    photographs_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer that an earlier request with the same idempotency key got."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Page(Generic[Record]):
    """Some records, newest first; ``next`` is what to ask the following page with, None at the end."""

    records: tuple[Record, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """Predictions of one day in UTC (``2026-10-05``), by verdict."""

    date: str
    verdicts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """Predictions since a moment.

    Attributes:
        since_ms: that moment.
        predictions: how many.
        verdicts: how many of each verdict.
        classes: how many diagnoses of each class, most frequent first.
        days: by day, oldest first; days without predictions are absent.
        latency_ms: ``mean``, ``p50``, ``p95``, ``p99`` and ``max``; empty without predictions.
    """

    since_ms: int
    predictions: int
    verdicts: Mapping[str, int]
    classes: Mapping[str, int]
    days: tuple[Day, ...]
    latency_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed: rows by table, and the names of photographs that nothing refers to any more."""

    rows: Mapping[str, int]
    blobs: tuple[str, ...] = ()


def values_of(record: Any) -> dict[str, Any]:
    """The fields of a record by name; not copied, unlike ``dataclasses.asdict``."""
    return {name: getattr(record, name) for name in record.__slots__}
