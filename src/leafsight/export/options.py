"""What a person may choose about an export."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ExportOptions(BaseModel):
    """How a trained network becomes a graph.

    Attributes:
        precision: ``auto`` makes fp32 and INT8, measures both and keeps INT8 only where it pays; ``fp32``
            does not try.
        tolerance: largest difference of a logit between torch and the fp32 graph.
        proof_photos: photographs on which torch and the graph are compared.
        calibration_photos: training photographs whose activations set the INT8 ranges.
        max_accuracy_loss: share of the judged photographs that INT8 may lose against fp32.
        min_speedup: INT8 must be this many times as fast as fp32 on one thread here.
        timed_rounds: interleaved passes of each graph when speed is measured.
        mirrored: the graph looks at every photograph and at its mirror image and takes the mean (test-time
            averaging); a little better, twice the time.
        include_weights: put the torch weights into the bundle too, so that training can go on from it; in
            half precision, half as large as the fp32 graph.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Literal["auto", "fp32"] = "auto"
    tolerance: float = Field(default=1e-3, gt=0)
    proof_photos: int = Field(default=32, ge=1)
    calibration_photos: int = Field(default=96, ge=1)
    max_accuracy_loss: float = Field(default=0.003, ge=0, le=1)
    min_speedup: float = Field(default=1.05, gt=0)
    timed_rounds: int = Field(default=30, ge=3)
    mirrored: bool = False
    include_weights: bool = False
