"""The contract of what is listed and looked up, in OpenAPI: predictions, models, conditions, jobs, counts.

Answers are built by hand; tests hold them to this. Times are milliseconds since 1970, UTC.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from leafsight.service.schemas import CombinedKept, Created, Page, Said

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
    combined: CombinedKept | None = Field(description="What was said about the plant, when that was asked.")


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


class HourAnswer(BaseModel):
    """Predictions of one hour of the clock."""

    start_ms: Milliseconds
    verdicts: Verdicts


class CorrectionSaid(CorrectionKept):
    """What a person said, and what they said it of."""

    prediction: str = Field(description="Id of the prediction.")
    verdict: str | None = Field(description="What the model had said.")
    key: str | None = Field(description="The class that the model had named.")
    display: str | None


class WindowAnswer(BaseModel):
    """One of two times that are compared."""

    from_ms: Milliseconds
    until_ms: Milliseconds
    photographs: int = Field(description="Looked at; an even part where there are more than 2,000.")
    occasions: int = Field(description="Hours of one key.")


class DifferenceAnswer(BaseModel):
    """How far a measure differs between two times, and how far chance makes it differ."""

    size: float = Field(description="Population stability index; of `look` the share of spread explained.")
    by_chance: float = Field(description="The size that chance alone makes, in the middle.")
    p: float = Field(description="How often chance makes as large a difference.")
    p_of_all: float = Field(description="The same for the largest of all measures together.")
    differs: bool = Field(description="More than chance, all measures together.")
    large: bool = Field(description="And large.")


class MeasureAnswer(BaseModel):
    """One measure as it was and as it is."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(description="`verdict`, `class`, `look` (the embedding), or a number's name.")
    kind: Literal["shares", "numbers", "embedding"]
    reference: dict[str, Any]
    recent: dict[str, Any]
    difference: DifferenceAnswer | None = Field(default=None, description="Absent with too few.")


class DriftAnswer(BaseModel):
    """Whether photographs and answers look as they did when the model began."""

    model: str = Field(description="Hash of the model in service; others are not looked at.")
    state: Literal["too_few", "no_earlier_time", "none", "small", "drift"]
    said: str = Field(description="The same in one sentence.")
    reference: WindowAnswer
    recent: WindowAnswer
    measures: list[MeasureAnswer]
    least: dict[str, int] = Field(description="Photographs and occasions that each time needs.")
    false_alarms: float = Field(description="How often chance is called a difference, at the most.")


class Insight(BaseModel):
    """What was diagnosed lately."""

    since_ms: Milliseconds
    predictions: int
    verdicts: Verdicts
    shares: dict[str, float] = Field(description="Of each verdict, 0 to 1.")
    classes: dict[str, int] = Field(description="Diagnoses of each class, most frequent first.")
    days: list[DayAnswer]
    hours: list[HourAnswer] = Field(description="Of the last day; hours without predictions are absent.")
    latency_ms: dict[str, float] = Field(description="mean, p50, p95, p99, max; empty without predictions.")
    corrections: dict[str, int] = Field(description="What people said of predictions since then.")
    newest_corrections: list[CorrectionSaid] = Field(description="At most 10.")
    stored_photographs: int = Field(description="Predictions whose photograph is kept.")
    drift: DriftAnswer
    reference_drift: dict[str, Any] = Field(
        description="The newest photographs against those that the model was made for."
    )
    shadow: dict[str, Any] | None = Field(description="What the challenger says beside; null without one.")


class RatesAnswer(BaseModel):
    """What happened between two moments."""

    window_s: float = Field(description="Between them; 0 while there is only one.")
    per_second: dict[str, float] = Field(description="requests, photographs, refused, failed.")
    latency_ms: dict[str, float] = Field(description="p50, p95, p99 of diagnoses; empty without any.")


class MomentAnswer(RatesAnswer):
    """The ten seconds or so before a moment."""

    at_ms: Milliseconds


class ProcessAnswer(BaseModel):
    """One process of the service."""

    number: int
    memory_bytes: int | None = Field(description="Resident; pages that processes share count in each.")
    model: str = Field(description="Hash of the model that it answers with.")
    model_name: str


class ModelNow(BaseModel):
    """The model that this process answers with."""

    hash: str
    name: str


class Answering(BaseModel):
    """Whether something answers."""

    ok: bool
    said: str


class HealthAnswer(BaseModel):
    """What has to work."""

    ready: bool
    database: Answering
    store: Answering
    jobs: Answering = Field(description="Whether somebody works jobs off.")


class LoadNow(MomentAnswer):
    """How much there is to do; rates are those of the last minute."""

    uptime_s: float
    waiting_photographs: int
    in_flight: int = Field(description="Requests being answered, this one too.")
    totals: dict[str, int] = Field(description="Since the start.")
    refused_by_reason: dict[str, int]
    processes: list[ProcessAnswer]
    series: list[MomentAnswer] = Field(description="The last quarter of an hour, oldest first.")
    versions: dict[str, str]
    model: ModelNow
    health: HealthAnswer


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
