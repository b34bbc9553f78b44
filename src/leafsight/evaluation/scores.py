"""What a model says about photographs, and how it is asked.

Enters: any callable from pixels to scores, so that a torch network, a bundle and a live server are judged
by the same code. Leaves: one ``Scores`` over all photographs, in their order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation.shapes import Labels, Logits, OtherEmbedding, Photos

if TYPE_CHECKING:
    from leafsight.progress import Progress


@dataclass(frozen=True, slots=True)
class Scores:
    """Raw answers, one row a photograph.

    Attributes:
        logits: float[n, c], unnormalised log-probabilities, every value finite.
        embedding: float[n, d], what global average pooling gives; ``None`` when the model keeps it.

    Raises:
        EvaluationError: a value is not finite, or the two arrays differ in their number of rows.
    """

    logits: Logits
    embedding: OtherEmbedding | None = None

    def __post_init__(self) -> None:
        """Refuse what would turn every number below into NaN without saying why."""
        if self.logits.ndim != 2 or self.logits.shape[1] < 1:
            raise EvaluationError(f"logits must be [photographs, classes], got shape {self.logits.shape}")
        broken = np.flatnonzero(~np.isfinite(self.logits).all(axis=1))
        if broken.size:
            raise EvaluationError(
                f"the model's logits are not finite for {broken.size} of {len(self.logits)} photographs, "
                f"first in row {broken[0]}",
                hint="look for a diverged training run or a broken export",
            )
        if self.embedding is None:
            return
        if len(self.embedding) != len(self.logits):
            raise EvaluationError(f"{len(self.logits)} rows of logits but {len(self.embedding)} of embedding")
        if not np.isfinite(self.embedding).all():
            raise EvaluationError("the model's embedding holds values that are not finite")

    def __len__(self) -> int:
        return len(self.logits)

    def take(self, rows: Labels) -> Scores:
        """The scores of some photographs, in the order of ``rows``."""
        return Scores(self.logits[rows], None if self.embedding is None else self.embedding[rows])


def collect_scores(
    predict: Callable[[Photos], Scores],
    images: np.ndarray,
    batch_size: int = 64,
    progress: Progress | None = None,
    *,
    rows: Labels | None = None,
) -> Scores:
    """Ask ``predict`` about many photographs, a batch at a time.

    Args:
        predict: uint8[b, side, side, 3] -> ``Scores`` of b rows.
        images: uint8[n, side, side, 3]; a memory map stays on disk, only one batch is in memory.
        batch_size: photographs per call, at least 1.
        progress: told one step per photograph.
        rows: which photographs, in this order; all of them when ``None``.

    Raises:
        EvaluationError: there is no photograph, or an answer has the wrong number of rows.
    """
    n = len(images) if rows is None else len(rows)
    if n == 0:
        raise EvaluationError("there are no photographs to judge", hint="is the split empty?")
    if batch_size < 1:
        raise EvaluationError(f"batch_size must be at least 1, got {batch_size}")
    if progress is not None:
        progress.start("scoring", n)
    answers: list[Scores] = []
    for start in range(0, n, batch_size):
        stop = min(start + batch_size, n)
        batch = np.ascontiguousarray(images[start:stop] if rows is None else images[rows[start:stop]])
        answer = predict(batch)
        if len(answer) != stop - start:
            raise EvaluationError(
                f"the model was given {stop - start} photographs and answered {len(answer)}"
            )
        answers.append(answer)
        if progress is not None:
            progress.advance(stop - start)
    if progress is not None:
        progress.finish()
    return join_scores(answers)


def join_scores(parts: list[Scores]) -> Scores:
    """Several ``Scores`` below each other; the embedding is kept only where all have one."""
    logits = np.concatenate([part.logits for part in parts])
    embeddings = [part.embedding for part in parts if part.embedding is not None]
    return Scores(logits, np.concatenate(embeddings) if len(embeddings) == len(parts) else None)
