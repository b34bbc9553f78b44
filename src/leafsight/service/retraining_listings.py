"""The contract of retraining and promotion, in OpenAPI. Times are milliseconds since 1970, UTC."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from leafsight.service.json_body import json_body
from leafsight.service.listings import Milliseconds
from leafsight.service.schemas import Created, Page

TEXT = r"^[^\x00]*$"
ALIAS = r"^[a-z][a-z0-9_-]{0,63}$"
Reason = Annotated[str, Field(max_length=1000, pattern=TEXT)]
Alias = Annotated[str, Field(pattern=ALIAS, description="The name that points to a model.")]
RetrainingPath = Literal["quick", "full"]


class RetrainingWish(BaseModel):
    """Which way to train, and why."""

    model_config = ConfigDict(extra="forbid")

    path: RetrainingPath = Field(
        default="quick", description="The head on embeddings (seconds), or the network (long)."
    )
    reason: Reason = ""


class RetrainingAccepted(Created):
    """A retraining that waits for its turn, or runs."""

    job: str = Field(description="Follow it under /v1/jobs; the same id.")


class RetrainingShown(Created):
    """One retraining."""

    created_at: Milliseconds
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    path: RetrainingPath
    why: str = Field(description="`hand`, `count`, `schedule` or `drift`.")
    by: str = Field(description="Who asked for it.")
    reason: str
    progress: dict[str, Any]
    result: dict[str, Any] | None
    error: dict[str, Any] | None


class RetrainingFound(RetrainingShown):
    """One retraining with its gate and its training set."""

    gate: dict[str, Any] | None = Field(description="What the challenger was held against; null before.")
    snapshot: dict[str, Any] | None = Field(
        description="The training set; lists longer than 200 as their length. null before."
    )


class TriggerShown(BaseModel):
    """What begins a retraining by itself, and how near it is."""

    accepted_since: int = Field(description="Photographs accepted since the last retraining began.")
    after: int = Field(description="So many begin one; 0: never.")
    every_hours: float = Field(description="0: never.")
    on_drift: bool


class PathShown(BaseModel):
    """A way to train."""

    why_not: str = Field(description="Empty when this server, or the job worker that spoke last, can.")


class RetrainingsPage(Page):
    """Retrainings, newest first."""

    retrainings: list[RetrainingShown]
    trigger: TriggerShown
    paths: dict[RetrainingPath, PathShown]


class Promotion(BaseModel):
    """Let an alias point to this model."""

    model_config = ConfigDict(extra="forbid")

    alias: Alias = "serving"
    reason: Reason = ""
    override: bool = Field(default=False, description="Also when its gate did not hold; that is recorded.")


class RollbackWish(BaseModel):
    """Put a former model back."""

    model_config = ConfigDict(extra="forbid")

    alias: Alias = "serving"
    steps: int = Field(default=1, ge=1, le=1000, description="Promotions to take back.")
    reason: Reason = ""
    over: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="Id of the model that serves now; sent twice, it goes back once.",
    )


class ChangeShown(BaseModel):
    """One move of an alias."""

    alias: str
    number: int
    kind: Literal["promote", "rollback"]
    model: str = Field(description="Content hash of the model that it points to since.")
    former: str | None = Field(description="The one before.")
    created_at: Milliseconds
    reason: str
    by: str


class ChangesPage(BaseModel):
    """Moves of an alias, newest first."""

    changes: list[ChangeShown]


class WatchShown(BaseModel):
    """The watch over the model that was promoted last."""

    model_config = ConfigDict(extra="allow")

    state: Literal["none", "watching", "passed", "rolled_back"]
    said: str = Field(description="The same in a sentence or two.")


WISH_BODY = json_body(RetrainingWish, quick=("Within a minute", {"path": "quick", "reason": "a new crop"}))
PROMOTION_BODY = json_body(Promotion, serving=("From now on it serves", {"reason": "it knows okra"}))
ROLLBACK_BODY = json_body(RollbackWish, one=("The model before", {"steps": 1, "reason": "too many doubts"}))
REPORT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}}
}
