"""What a study is asked to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from leafsight.loadtest.setups import BUILT_IN


class StudyOptions(BaseModel):
    """One study. Everything that changes its numbers is here and stands in its report."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    replicas: tuple[Annotated[int, Field(ge=1, le=64)], ...] = (1, 2, 4)
    users: tuple[Annotated[int, Field(ge=1, le=10_000)], ...] = (8, 32)
    rates: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (), description="requests a second; none means found by the study"
    )
    models: tuple[str, ...] = (BUILT_IN,)
    proxies: tuple[bool, ...] = (False,)
    cross: bool = False
    seconds: float = Field(30.0, gt=0, description="measured time of each load")
    warm_s: float = Field(5.0, ge=0, description="before it, not counted")
    repeats: int = Field(3, ge=1)
    seed: int = 0
    timeout_s: float = Field(10.0, gt=0)
    think_s: float = Field(2.0, ge=0)
    arrivals: Literal["poisson", "constant"] = "poisson"
    photos: str = Field("", description="folder of photographs; none means drawn")
    engine: str = "auto"
    cpus: float = Field(0.4, ge=0)
    memory_bytes: int = Field(512 * 2**20, ge=0)
    out: Path


LADDER = (0.3, 0.6, 0.8, 1.0, 1.25, 1.6)
"""Rates that a study finds by itself, as shares of what a closed loop gets out of the set-up."""


def ladder_of(capacity_per_s: float) -> tuple[float, ...]:
    """Rates around a capacity, as numbers that people read: two significant digits."""
    return tuple(dict.fromkeys(float(f"{max(0.1, capacity_per_s * share):.2g}") for share in LADDER))
