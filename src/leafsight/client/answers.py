"""What a server tells, as frozen records.

Fields that a newer server adds are left out; a field of another type is refused by whoever reads. It does not
know how the answers came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict

from leafsight.inference import Combined, Prediction

Item = TypeVar("Item")
# JSON knows lists only; what stands in them stays strict.
Several = Annotated[tuple[Item, ...], Strict(False)]
FINISHED = frozenset({"done", "failed", "cancelled"})


class Record(BaseModel):
    """What all records of this room promise: frozen, strict about types, deaf to unknown fields."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", allow_inf_nan=False, protected_namespaces=()
    )


class ServedModel(Record):
    """Name and content hash of the model that answered."""

    name: str
    hash: str


@dataclass(frozen=True, slots=True)
class PhotoAnswer:
    """The answer for one photograph of a request.

    Attributes:
        prediction: what the model says.
        id: under which the server remembers it; None when it does not.
        photo: the name that was sent.
        recorded: whether it was written down.
        stored: whether the server keeps the photograph.
        advice: keys of cards, for ``conditions()``.
    """

    prediction: Prediction
    id: str | None
    photo: str
    recorded: bool
    stored: bool
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What ``predict`` gives.

    Attributes:
        predictions: one a photograph, in the order that they were sent in.
        combined: for all of them as one plant, when that was asked for.
        request_id: the operator finds it in the log.
        model: who answered.
        timing_ms: milliseconds in the server, by step.
    """

    predictions: tuple[PhotoAnswer, ...]
    combined: Combined | None
    request_id: str
    model: ServedModel
    timing_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of many.

    Attributes:
        items: of this page, in the server's order.
        next: what to ask with as ``after`` for the page behind this one; None on the last.
    """

    items: tuple[Item, ...]
    next: str | None

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class ModelEntry(Record):
    """One model of the list.

    Attributes:
        id: its content hash.
        name: as its maker called it.
        aliases: names that point to it.
        serving: whether it answers now.
        builtin: whether it came with leafsight.
        damaged: whether its file is gone or of another size than it was kept with.
        classes: how many it tells apart.
        size_bytes: of its file.
        note: what the operator wrote about it.
        created_at: milliseconds since 1970, UTC.
    """

    id: str
    name: str
    aliases: Several[str] = ()
    serving: bool = False
    builtin: bool = False
    damaged: bool = False
    classes: int | None = None
    size_bytes: int | None = Field(default=None, alias="bytes")
    note: str | None = None
    created_at: int | None = None


class ModelDescription(ModelEntry):
    """One model in full: the card is Markdown; metrics, provenance and labels are as its bundle has them."""

    card: str = ""
    metrics: dict[str, Any] = Field(default_factory=dict)
    provenance: dict[str, Any] = Field(default_factory=dict)
    labels: Several[dict[str, Any]] = ()


class ConditionCard(Record):
    """One class that the model can name, with its card (look, look-alikes, sources) where there is one."""

    key: str
    class_name: str = ""
    crop: str | None = None
    condition: str | None = None
    display: str = ""
    card: dict[str, Any] | None = None


class Accepted(Record):
    """Something that was written down, under its id."""

    id: str


class UploadAccepted(Record):
    """An upload that waits to be checked, the job that does so, and how many files of it are not kept."""

    id: str
    job: str | None = None
    left_out: int = 0


JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class Job(Record):
    """Long work: how far it is, and how it ended. Times are milliseconds since 1970, UTC."""

    id: str
    state: JobState
    kind: str = ""
    created_at: int | None = None
    updated_at: int | None = None
    progress: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in FINISHED


class Upload(Record):
    """A file that was sent to learn from, and the job that looks into it."""

    id: str
    state: str
    name: str = ""
    size_bytes: int | None = Field(default=None, alias="bytes")
    sha256: str = ""
    media_type: str = ""
    label: str | None = None
    created_at: int | None = None
    job: Job | None = None


class ReportEntry(Record):
    """One report on the server's collection; ``findings`` counts what to mend, to look at and to know."""

    id: str
    collection: str = ""
    photographs: int | None = None
    usable: int | None = None
    classes: int | None = None
    findings: dict[str, int] = Field(default_factory=dict)
    created_at: int | None = None


class ReportAccepted(Record):
    """A report that is being made, and the job that makes it."""

    id: str
    job: str


class Correction(Record):
    """What a person said about a prediction; ``class_key`` is what it really was."""

    id: str
    right: bool
    class_key: str | None = Field(default=None, alias="class")
    note: str | None = None
    created_at: int | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """A prediction that the server kept.

    Attributes:
        id: sorted by id is sorted by time.
        prediction: as it was answered, without heatmap.
        created_at: milliseconds since 1970, UTC.
        photo: the name that was sent.
        plant_id: the sender's name for the plant.
        stored: whether the server keeps the photograph.
        corrections: what people said of it; lists leave it out.
        combined: what was said about the plant, when that was asked.
        together: ids of all photographs that this was said from.
    """

    id: str
    prediction: Prediction
    created_at: int | None
    photo: str
    plant_id: str | None
    stored: bool
    corrections: tuple[Correction, ...]
    combined: Combined | None = None
    together: tuple[str, ...] = ()


class Readiness(Record):
    """Whether the server takes requests, and what it says about itself."""

    ready: bool
    plain: dict[str, Any] = Field(default_factory=dict)
