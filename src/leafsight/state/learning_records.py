"""What the learning loop remembers, as records.

Enters and leaves: plain values. Times are milliseconds since 1970 in UTC (``..._ms``), ids are those of
``ids``. It does not know how the records are stored; the longest values are those of ``tables``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

ContributionState = Literal["waiting", "accepted", "rejected"]
CONTRIBUTION_STATES: tuple[ContributionState, ...] = ("waiting", "accepted", "rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionRecord:
    """One photograph with its class that somebody gave for learning from.

    Attributes:
        id: of the contribution.
        created_ms: when it came.
        upload_id: of the upload that it was in, or None.
        prediction_id: of the prediction that it corrects, or None.
        key_id: whose key sent it, or None.
        name: of the photograph, such as its path in the upload; at most 500 characters.
        class_name: as it was sent; empty when none was.
        label: the class that it would be learned as.
        state: ``waiting``, ``accepted`` or ``rejected``.
        photo_sha256: of the photograph's bytes as sent, hex.
        pixel_hash: hash of its pixels as room ``dataset`` makes it, hex.
        look_hash: 64 bits of how it looks, as room ``dataset`` makes them, or None.
        blob: the name of the stored photograph.
        group_id: the id of the first contribution of those that show the same.
        findings: what was found about it; each has ``kind``, ``said`` and ``blocks``, and plain values.
        quality: measures of the photograph.
        embedding: float16 ``[d]``, or None.
        embedded_by: the backbone that made the embedding, 64 hex digits, or None.
        decided_ms: when its state was last changed by somebody, or None.
        decided_by: by whom.
        reason: why.
    """

    id: str
    created_ms: int
    name: str
    class_name: str
    label: str
    photo_sha256: str
    pixel_hash: str
    blob: str
    group_id: str
    state: ContributionState = "waiting"
    upload_id: str | None = None
    prediction_id: str | None = None
    key_id: str | None = None
    look_hash: int | None = None
    findings: Sequence[Mapping[str, Any]] = ()
    quality: Mapping[str, Any] = field(default_factory=dict)
    embedding: np.ndarray | None = field(default=None, compare=False, repr=False)
    embedded_by: str | None = None
    decided_ms: int | None = None
    decided_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAlike:
    """What of a contribution tells whether another shows the same; fields as in ``ContributionRecord``."""

    id: str
    group_id: str
    state: ContributionState
    label: str
    pixel_hash: str
    look_hash: int | None
    embedded_by: str | None
    embedding: np.ndarray | None = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredClass:
    """A class that the champion does not know and that may be taught: its name, since when, by whom."""

    name: str
    created_ms: int
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowRecord:
    """What another model would have answered to a prediction; fields as in ``PredictionRecord``."""

    id: str
    created_ms: int
    prediction_id: str
    model_hash: str
    verdict: str
    latency_ms: float
    class_key: str | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class ShadowSummary:
    """Answers of one model in the shadow since a moment, against the predictions that were answered.

    Attributes:
        model_hash: of the model.
        since_ms: that moment.
        photographs: how many it answered to.
        verdicts: how many of each verdict.
        compared: to how many of them the prediction is known.
        same: how many of those have the same verdict and the same class.
        classes_differ: how many of those are two diagnoses of different classes.
        latency_ms: ``mean``, ``p50``, ``p95``, ``p99`` and ``max``; empty without answers.
    """

    model_hash: str
    since_ms: int
    photographs: int
    verdicts: Mapping[str, int]
    compared: int
    same: int
    classes_differ: int
    latency_ms: Mapping[str, float]
