from __future__ import annotations

import numpy as np
import pytest

from leafsight.errors import EvaluationError
from leafsight.evaluation import Scores, collect_scores, join_scores
from leafsight.progress import Silent


def brightness(batch: np.ndarray) -> Scores:
    mean = batch.mean(axis=(1, 2, 3), dtype=np.float64)
    return Scores(np.stack([mean, -mean], axis=1).astype(np.float32), mean[:, None].astype(np.float32))


def photographs(n: int) -> np.ndarray:
    return np.repeat(np.arange(n, dtype=np.uint8), 4 * 4 * 3).reshape(n, 4, 4, 3)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 64])
def test_order_is_kept_whatever_the_batches(batch_size: int) -> None:
    scores = collect_scores(brightness, photographs(7), batch_size)
    assert scores.logits[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert scores.embedding is not None
    assert scores.embedding.shape == (7, 1)


def test_rows_choose_and_order() -> None:
    scores = collect_scores(brightness, photographs(7), 2, rows=np.array([5, 0, 5]))
    assert scores.logits[:, 0].tolist() == [5, 0, 5]


def test_a_memory_map_is_read_in_batches(tmp_path) -> None:
    np.save(tmp_path / "cache.npy", photographs(9))
    images = np.load(tmp_path / "cache.npy", mmap_mode="r")
    assert collect_scores(brightness, images, 4).logits[:, 0].tolist() == list(range(9))


def test_progress_counts_photographs() -> None:
    told: list[int] = []

    class Counter(Silent):
        def advance(self, steps: int = 1, note: str = "") -> None:
            told.append(steps)

    collect_scores(brightness, photographs(7), 3, Counter())
    assert told == [3, 3, 1]


def test_an_empty_split_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="no photographs"):
        collect_scores(brightness, photographs(0))


def test_a_model_that_forgets_rows_is_found() -> None:
    with pytest.raises(EvaluationError, match="given 4 photographs and answered 1"):
        collect_scores(lambda batch: brightness(batch[:1]), photographs(4))


def test_broken_logits_name_the_row() -> None:
    logits = np.zeros((5, 2), dtype=np.float32)
    logits[3, 1] = np.nan
    with pytest.raises(EvaluationError, match="1 of 5 photographs, first in row 3"):
        Scores(logits)


def test_arrays_must_fit() -> None:
    with pytest.raises(EvaluationError, match="5 rows of logits but 4"):
        Scores(np.zeros((5, 2), dtype=np.float32), np.zeros((4, 3), dtype=np.float32))
    with pytest.raises(EvaluationError, match="embedding"):
        Scores(np.zeros((1, 2), dtype=np.float32), np.full((1, 3), np.inf, dtype=np.float32))


def test_join_drops_an_embedding_that_not_all_have() -> None:
    with_one = Scores(np.zeros((2, 2), dtype=np.float32), np.zeros((2, 3), dtype=np.float32))
    without = Scores(np.ones((1, 2), dtype=np.float32))
    assert join_scores([with_one, without]).embedding is None
    assert len(join_scores([with_one, without])) == 3


def test_take_keeps_both_arrays_together() -> None:
    scores = collect_scores(brightness, photographs(4)).take(np.array([2, 1]))
    assert scores.logits[:, 0].tolist() == [2, 1]
    assert scores.embedding is not None
    assert scores.embedding[:, 0].tolist() == [2, 1]
