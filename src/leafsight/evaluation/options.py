"""What a person may choose about calibration and judgement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Inner = Annotated[float, Field(gt=0.0, lt=1.0)]


class CalibrationOptions(BaseModel):
    """How ``fit_calibration`` chooses its numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: Inner = Field(0.1, description="tolerated share of conformal sets without the true class")
    conformal: Literal["marginal", "by_class"] = Field(
        "marginal", description="one cut for all classes, or one for each class with enough photographs"
    )
    min_class_rows: int = Field(30, ge=10, description="photographs a class needs for a cut of its own")
    target_accuracy: Inner = Field(0.95, description="wanted share of right answers among those given")
    answer_floor: Share = Field(0.5, description="no answer below this calibrated probability")
    bound_level: Inner = Field(0.95, description="one-sided level at which the target must be shown")
    not_leaf_classes: tuple[str, ...] = Field((), description="classes that mean 'no leaf in the picture'")
    not_leaf_threshold: Inner = Field(0.5, description="their summed probability from which that is said")
    familiarity_dims: int = Field(64, ge=1, le=512, description="principal directions of the embedding kept")
    familiarity_keep: Inner = Field(0.99, description="share of calibration leaves called familiar")
    far_factor: float = Field(
        3.0, gt=1.0, description="unfamiliarity from which a photograph is no leaf we know"
    )
    crops: Mapping[str, str] = Field(
        default_factory=dict, description="class -> crop, for answers within a crop"
    )
    seed: int = Field(0, ge=0)


class EvaluationOptions(BaseModel):
    """How ``evaluate`` measures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resamples: int = Field(1000, ge=100, le=100_000, description="bootstrap resamples")
    confidence: Inner = Field(0.95, description="level of all intervals")
    seed: int = Field(0, ge=0)
    bins: int = Field(15, ge=2, le=100, description="bins of the reliability diagram and of ECE")
    top_k: int = Field(3, ge=2, description="the k of top-k accuracy")
    mistakes: int = Field(24, ge=0, le=200, description="worst mistakes kept for the report")
    confused_pairs: int = Field(20, ge=0, le=500, description="most confused pairs kept")
