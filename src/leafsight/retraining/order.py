"""What one retraining is asked for, in plain values.

Enters: JSON of who starts the program, or words of its command. Leaves: a frozen record. It opens nothing.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from leafsight.errors import UsageError

Path_ = Literal["quick", "full"]
JOB = re.compile(r"[0-9a-z][0-9a-z-]{2,63}")


class Order(BaseModel):
    """One retraining.

    Attributes:
        job: id of the job, and of the workflow: the same id goes on with the same workflow.
        path: ``quick`` learns a head on remembered features; ``full`` fine-tunes the network.
        why: what began it: ``hand``, ``count``, ``schedule``, ``drift``.
        by: who began it.
        reason: what that person said.
        database_url: of the state.
        blob_url: of the store.
        registry_dir: of the registry.
        registry_url: of the bucket that is the registry instead; empty for the folder alone.
        work_dir: in it each job has a folder of its own.
        promote: ``auto`` promotes what holds the gate, ``ask`` leaves it to a person.
        training_data: folders of the original photographs, or their saved index; for the full path.
        recipe: of the full path; a name of ``leafsight recipes ls`` or a file.
        device: where the full path trains: ``cpu``, or ``auto`` for an accelerator where there is one.
        gate: limits of the gate that differ from the usual ones; fields of ``GateOptions``.
        watch_minutes: how long the promoted model is watched.
        max_image_bytes, max_image_pixels: limits of the decoder.
        threads: of everything that computes.
        max_memory_mb: more is refused to the process; 0 for no limit of ours.
        seed: of the snapshot and of training.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    job: str
    path: Path_ = "quick"
    why: str = "hand"
    by: str = ""
    reason: str = ""
    database_url: str = Field(repr=False)
    blob_url: str = Field(repr=False)
    registry_dir: Path
    registry_url: str = Field(default="", repr=False)
    work_dir: Path
    promote: Literal["auto", "ask"] = "auto"
    training_data: tuple[Path, ...] = ()
    recipe: str = "retrain-full"
    device: Literal["cpu", "auto"] = "auto"
    gate: dict[str, float] = Field(default_factory=dict)
    watch_minutes: int = Field(default=60, ge=0)
    max_image_bytes: int = Field(default=64 * 1024**2, ge=1)
    max_image_pixels: int = Field(default=50_000_000, ge=1)
    threads: int = Field(default=1, ge=1, le=256)
    max_memory_mb: int = Field(default=8192, ge=0)
    seed: int = Field(default=0, ge=0)

    @field_validator("job")
    @classmethod
    def _plain_job(cls, job: str) -> str:
        if not JOB.fullmatch(job):
            raise ValueError("a job has an id of small letters, digits and -")
        return job

    @field_validator("training_data", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        if given in (None, ""):
            return ()
        return (given,) if isinstance(given, str | Path) else given


def order_from(values: dict[str, Any]) -> Order:
    """The order in plain values.

    Raises:
        UsageError: one cannot be; the message does not repeat it, for it may hold a password.
    """
    try:
        return Order.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise UsageError(f"this retraining cannot be: {faults}", hint="see docs/learning.md") from None


def values_of(text: str) -> dict[str, Any]:
    """The JSON object in a text; an empty one for an empty text.

    Raises:
        UsageError: it is none.
    """
    try:
        values = json.loads(text or "{}")
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise UsageError("what is asked for is not a JSON object", hint="see docs/learning.md")
    return values
