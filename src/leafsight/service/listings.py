"""The contract of what is listed and looked up, in OpenAPI: predictions, models, conditions, jobs, counts.

Answers are built by hand; tests hold them to this. Times are milliseconds since 1970, UTC.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from leafsight.service.schemas import Created, Page, Said

Milliseconds = int
Verdicts = dict[str, int]


class CorrectionKept(Created):
    """What a person said of a prediction."""

    created_at: Milliseconds
    right: bool
    class_key: str | None = Field(alias="class")
    note: str | None


class PredictionKept(Said):
    """An answer as it was given, without the heatmap."""

    id: str
    created_at: Milliseconds
    photo: str = Field(description="The name that was sent.")
    plant_id: str | None
    advice: list[str] = Field(description="Ids of cards, see /v1/conditions.")
    crop_given: str | None
    not_leaf_probability: float | None
    unfamiliarity: float | None
    quality: dict[str, float]
    timing_ms: dict[str, float]
    error: dict[str, Any] | None
    latency_ms: float
    stored: bool = Field(description="Whether the photograph is kept, without its metadata.")


class PredictionFound(PredictionKept):
    """One prediction and what people said of it."""

    corrections: list[CorrectionKept]


class PredictionsPage(Page):
    """Predictions, newest first."""

    predictions: list[PredictionKept]


class ModelEntry(BaseModel):
    """A model that is kept."""

    id: str = Field(description="Content hash of the bundle.")
    name: str
    aliases: list[str]
    serving: bool = Field(description="Whether this process answers with it.")
    builtin: bool
    damaged: bool = Field(description="Its file is gone or of another size.")
    bytes: int
    classes: int
    note: str
    created_at: Milliseconds | None = Field(description="null for the model that came with the program.")


class ModelsPage(Page):
    """Models, newest first."""

    models: list[ModelEntry]


class LabelAnswer(BaseModel):
    """A class that a model can name."""

    class_name: str
    key: str
    crop: str | None
    condition: str | None
    display: str
    is_leaf: bool


class ModelFound(ModelEntry):
    """One model: its card in Markdown, its metrics, where it comes from, its classes."""

    card: str
    metrics: dict[str, Any]
    provenance: dict[str, Any]
    labels: list[LabelAnswer]


class SourceAnswer(BaseModel):
    """Where an advice card has its facts from."""

    institution: str
    title: str
    url: str


class CardAnswer(BaseModel):
    """What a person should know about a condition. No dosage, no product names."""

    key: str
    what_it_is: str
    looks_like: str
    mistaken_for: list[str]
    told_apart: str
    growers_do: str
    ask_an_expert: str
    sources: list[SourceAnswer]


class ConditionAnswer(LabelAnswer):
    """A class of the model in service, with its advice card where there is one."""

    card: CardAnswer | None


class Conditions(BaseModel):
    """What the model in service can name."""

    conditions: list[ConditionAnswer]


class DayAnswer(BaseModel):
    """Predictions of one day."""

    date: str = Field(description="UTC, such as 2026-10-05.")
    verdicts: Verdicts


class Insight(BaseModel):
    """What was diagnosed lately."""

    since_ms: Milliseconds
    predictions: int
    verdicts: Verdicts
    classes: dict[str, int] = Field(description="Diagnoses of each class, most frequent first.")
    days: list[DayAnswer]
    latency_ms: dict[str, float] = Field(description="mean, p50, p95, p99, max; empty without predictions.")
    corrections: dict[str, int] = Field(description="What people said of predictions since then.")


class UploadFound(Created):
    """An upload and what became of it."""

    created_at: Milliseconds
    name: str = Field(description="The server's; names that were sent are not used.")
    bytes: int
    sha256: str
    media_type: str
    label: str | None
    state: str


class JobFound(Created):
    """Long work."""

    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    created_at: Milliseconds
    updated_at: Milliseconds
    progress: dict[str, Any]
    result: dict[str, Any] | None
    error: dict[str, Any] | None


class JobsPage(Page):
    """Jobs, newest first."""

    jobs: list[JobFound]


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]
    version: str


class Ready(BaseModel):
    """The process takes requests."""

    status: Literal["ready"]
    model: str = Field(description="Id of the model in service.")
