"""The contract of contributions and declared classes, in OpenAPI. Times are milliseconds since 1970, UTC."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from leafsight.service.json_body import json_body
from leafsight.service.listings import Milliseconds
from leafsight.service.pages import PLAIN
from leafsight.service.schemas import Created, Page

ContributionState = Literal["waiting", "accepted", "rejected"]
MOST_IDS = 1000
ClassName = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN)]
OneId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class FindingSaid(BaseModel):
    """One thing that was found out about a photograph."""

    model_config = ConfigDict(extra="allow")

    kind: str = Field(examples=["near_duplicate"])
    said: str = Field(description="One sentence.")
    blocks: bool = Field(description="Whether no rule may accept the photograph by itself.")


class SaidOfIt(BaseModel):
    """What the model said of a photograph."""

    verdict: str
    class_key: str | None
    display: str | None
    probability: float | None


class ContributionShown(Created):
    """A labelled photograph that somebody sent, in quarantine or decided."""

    created_at: Milliseconds
    upload: str | None = Field(description="It came with; null for a corrected prediction.")
    name: str = Field(description="As its sender calls it.")
    class_name: str = Field(description="As it was sent.")
    label: str = Field(description="The class that it would be learned as.")
    display: str
    state: ContributionState
    findings: list[FindingSaid]
    quality: dict[str, Any]
    group: str = Field(description="Id of the first contribution that shows the same.")
    said: SaidOfIt | None
    decided_at: Milliseconds | None
    decided_by: str | None
    reason: str | None
    photograph: str = Field(description="Address of a small picture of it.")


class ContributionsPage(Page):
    """Contributions, newest first."""

    contributions: list[ContributionShown]


class LabelCounted(BaseModel):
    """The contributions of one class."""

    label: str
    display: str
    known: bool = Field(description="The model in service knows it.")
    declared: bool
    waiting: int
    accepted: int
    rejected: int


class ContributionsSummary(BaseModel):
    """How many contributions there are."""

    states: dict[str, int]
    labels: list[LabelCounted] = Field(description="Most frequent first, at most 1,000 of them.")
    doubtful: int = Field(description="Waiting ones with a finding.")
    new_since_training: int = Field(description="Accepted since the last retraining that ended well.")


class Decision(BaseModel):
    """What shall become of contributions: of those named, of all of an upload, or of all clean ones."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[OneId], Field(min_length=1, max_length=MOST_IDS)] | None = None
    upload: OneId | None = None
    all: Literal["clean"] | None = Field(
        default=None, description="All that wait and have no finding that blocks."
    )
    state: ContributionState
    label: ClassName | None = Field(
        default=None, description="What they really show; with `all`, only those of this class."
    )
    reason: str = Field(default="", max_length=500, pattern=r"^[^\x00]*$")

    @model_validator(mode="after")
    def _one_way(self) -> Decision:
        if sum(one is not None for one in (self.ids, self.upload, self.all)) != 1:
            raise ValueError("name exactly one of 'ids', 'upload' and 'all'")
        return self


class Skipped(BaseModel):
    """A contribution that stays as it is."""

    id: str
    why: str


class Decided(BaseModel):
    """What became of them."""

    changed: int
    skipped: list[Skipped] = Field(description="At most 1,000 of them.")


class DeclaredShown(BaseModel):
    """A class that may be learned although the model does not know it."""

    name: str
    display: str
    created_at: Milliseconds
    by: str
    note: str


class DeclaredClasses(BaseModel):
    """Classes that may be learned although the model does not know them."""

    classes: list[DeclaredShown]


class Declaration(BaseModel):
    """A class that may be learned from now on."""

    model_config = ConfigDict(extra="forbid")

    name: ClassName
    note: str = Field(default="", max_length=500, pattern=r"^[^\x00]*$")


DECISION_BODY = json_body(
    Decision,
    clean=("All that nothing speaks against", {"all": "clean", "state": "accepted"}),
    one=(
        "One, as another class",
        {
            "ids": ["019aa1e4c7000b1f3e5d7c9a8b6e4d2f"],
            "state": "accepted",
            "label": "tomato/late_blight",
            "reason": "seen under the lens",
        },
    ),
)
DECLARATION_BODY = json_body(
    Declaration,
    okra=("A new crop", {"name": "Okra___Leaf_curl", "note": "three fields near the river"}),
)
THUMBNAIL: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The photograph, small.",
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    }
}
