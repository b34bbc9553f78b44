"""The contract of ``/v1/drift``, in OpenAPI. The answer is built by room ``monitoring``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ReferenceDrift(BaseModel):
    """The newest photographs against those that the model in service was made for."""

    model_config = ConfigDict(extra="allow")

    state: Literal["unknown", "too_few", "none", "drift"] = Field(
        description="`unknown`: the model remembers nothing to compare with."
    )
    said: str = Field(description="The same in a sentence or two.")
    model: str = Field(description="Hash of the model in service; empty while nobody has looked.")
    photographs: int = Field(description="Looked at, newest first.")
    windows: list[dict[str, Any]] = Field(
        description="The newest 50, 100, 200 and 500, each with its measures: `value`, `limit`, `over`, and "
        "`alarms` for those that mean drift; the others mean another mix."
    )
    drifted: list[dict[str, Any]] = Field(description="The photographs that lie farthest, at most 20.")
