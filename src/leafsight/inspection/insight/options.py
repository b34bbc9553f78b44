"""How much of a collection the figures and their page show."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class InsightOptions(BaseModel):
    """Limits, all of which are said aloud where they bite."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: int = Field(40, ge=4, le=200, description="classes with a line of their own in a figure")
    points: int = Field(40_000, ge=100, le=200_000, description="dots in a scatter plot")
    outliers: int = Field(18, ge=1, le=100, description="photographs shown as unlike all others")
    page_bytes: int = Field(15_000_000, ge=1_000_000, description="most that the HTML page may weigh")
