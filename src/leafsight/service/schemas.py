"""The contract in OpenAPI: what answers look like. Answers are built by hand; tests hold them to this."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Problem(BaseModel):
    """RFC 9457."""

    type: str = Field(examples=["https://leafsight.example/problems/not-found"])
    title: str
    status: int
    detail: str
    hint: str
    request_id: str
    errors: list[dict[str, Any]] | None = None


class CandidateAnswer(BaseModel):
    """One class with its calibrated probability."""

    class_name: str
    key: str
    display: str
    probability: float = Field(ge=0, le=1)


class Picture(BaseModel):
    """A picture inside JSON."""

    media_type: Literal["image/png"]
    base64: str


class Said(BaseModel):
    """What is said about one photograph, or about several of one plant."""

    model_config = ConfigDict(extra="allow")

    verdict: Literal["diagnosis", "cannot_tell", "not_a_leaf", "too_blurred", "unreadable"]
    reason: str
    hint: str
    model: str
    model_hash: str
    class_name: str | None = Field(description="Set for a diagnosis only, as the five below.")
    key: str | None = Field(examples=["tomato/early_blight"])
    crop: str | None
    condition: str | None
    display: str | None
    probability: float | None = Field(description="Calibrated.")
    top: list[CandidateAnswer]
    possible: list[CandidateAnswer] = Field(description="The conformal set: what cannot be excluded.")


class PhotoAnswer(Said):
    """What is said about one photograph."""

    id: str | None = Field(description="For corrections; null when the answer could not be recorded.")
    photo: str = Field(description="The name that was sent.")
    recorded: bool
    stored: bool = Field(description="Whether the photograph is kept, without its metadata.")
    advice: list[str] = Field(description="Ids of cards, see /v1/conditions.")
    heatmap: Picture | None
    crop_given: str | None
    not_leaf_probability: float | None
    unfamiliarity: float | None
    quality: dict[str, float]
    timing_ms: dict[str, float]
    error: dict[str, Any] | None


class CombinedAnswer(Said):
    """One diagnosis from several photographs of a plant."""

    photographs: int
    used: int = Field(description="Photographs that could be judged.")


class CombinedKept(CombinedAnswer):
    """One diagnosis from several photographs of a plant, with each of which it is kept."""

    predictions: list[str] = Field(description="Ids of what was said about each photograph.")


class ModelName(BaseModel):
    """Which model answered."""

    name: str
    hash: str


class PredictAnswer(BaseModel):
    """Answers in the order of the photographs."""

    request_id: str
    model: ModelName
    predictions: list[PhotoAnswer]
    combined: CombinedAnswer | None
    timing_ms: dict[str, float]


class Correction(BaseModel):
    """What a person knows better."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    right: bool = Field(description="Whether the diagnosis was right.")
    class_key: str | None = Field(
        default=None,
        alias="class",
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        examples=["tomato/late_blight"],
        description="The truth.",
    )
    note: str | None = Field(default=None, max_length=2000, pattern=r"^[^\x00]*$")


class Created(BaseModel):
    """What was written down."""

    id: str


class UploadAccepted(Created):
    """An upload that is kept; what happens to it is a job."""

    job: str


class Page(BaseModel):
    """One page of a list."""

    next: str | None = Field(description="Cursor of the page after; null on the last.")


_PROBLEM: dict[str, Any] = {
    "description": "A problem (RFC 9457)",
    "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
}
PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": _PROBLEM, "5XX": _PROBLEM}
CORRECTION_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": Correction.model_json_schema(),
            "examples": {
                "right": {"summary": "It was right", "value": {"right": True}},
                "wrong": {
                    "summary": "It was something else",
                    "value": {"right": False, "class": "tomato/late_blight", "note": "seen under the lens"},
                },
            },
        }
    },
}
_FILE = {"type": "string", "format": "binary"}
GREEN_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAGUlEQVR42mO06bFhIAUwMZAIRjWMahg6GgBOdQEk/4yxgwAAAABJRU5E"
    "rkJggg=="
)
PREDICT_BODY: dict[str, Any] = {
    "required": True,
    "description": "Photographs: JPEG, PNG, WebP, MPO, BMP or TIFF.",
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"photo": {"type": "array", "items": _FILE, "minItems": 1}},
                "required": ["photo"],
            }
        },
        "image/*": {"schema": _FILE},
        "application/octet-stream": {"schema": _FILE},
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "photos": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "properties": {
                                "name": {"type": "string"},
                                "base64": {"type": "string", "format": "byte"},
                            },
                            "required": ["base64"],
                        },
                    }
                },
                "required": ["photos"],
            },
            "examples": {
                "one": {
                    "summary": "A square of green, 16 px a side, as PNG",
                    "value": {"photos": [{"name": "green.png", "base64": GREEN_PNG}]},
                }
            },
        },
    },
}
