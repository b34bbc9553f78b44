"""What a head is learned from, and that the calibration never sees what taught."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.fakes.remembered import tiny_memory
from tests.fakes.tiny_bundle import CLASSES, tiny_weights
from tests.retraining.teaching import PER_SPLIT, QUICK, with_stressed

from leafsight.progress import Silent
from leafsight.retraining import rehearsal
from leafsight.retraining.head import Head

WEIGHTS = tiny_weights()
BASE = Head(WEIGHTS["dense_w"], WEIGHTS["dense_b"])


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The embeddings of every head that is learned."""
    seen: list[np.ndarray] = []
    really = rehearsal.learn_head

    def noted(embedding: np.ndarray, *rest: Any, **more: Any) -> Any:
        seen.append(embedding)
        return really(embedding, *rest, **more)

    monkeypatch.setattr(rehearsal, "learn_head", noted)
    return seen


def test_what_calibrates_a_head_did_not_teach_it(taught: list[np.ndarray]) -> None:
    memory = with_stressed(tiny_memory(PER_SPLIT))
    learned, unseen = rehearsal.rehearse(memory, BASE, len(CLASSES), QUICK, Silent())
    stressed = memory.rows("stressed")
    whole, *halves = taught
    assert len(whole) == len(memory.rows("train")) + len(stressed)
    for half, rows in enumerate(halves):
        others = stressed[memory.group[stressed] % 2 != half]
        np.testing.assert_array_equal(rows[len(memory.rows("train")) :], memory.embedding[others])
        own = memory.embedding[stressed[memory.group[stressed] % 2 == half]]
        assert not (rows[:, None] == own[None]).all(axis=2).any()
    assert unseen.stressed.shape == (len(stressed), len(CLASSES))
    home = memory.rows("calibration")
    assert (unseen.home.argmax(axis=1) == memory.label[home]).mean() > 0.9
    assert not np.array_equal(unseen.home, learned.head.logits(memory.embedding[home]))


def test_without_worse_copies_one_head_is_enough(taught: list[np.ndarray]) -> None:
    memory = tiny_memory(PER_SPLIT)
    learned, unseen = rehearsal.rehearse(memory, BASE, len(CLASSES), QUICK, Silent())
    assert len(taught) == 1
    home = memory.rows("calibration")
    np.testing.assert_array_equal(unseen.home, learned.head.logits(memory.embedding[home]))
    assert unseen.stressed.shape == (0, len(CLASSES))


def test_the_locked_test_teaches_nothing(taught: list[np.ndarray]) -> None:
    memory = with_stressed(tiny_memory(PER_SPLIT))
    rehearsal.rehearse(memory, BASE, len(CLASSES), QUICK, Silent())
    locked = memory.embedding[memory.rows("test")]
    assert all(not (rows[:, None] == locked[None]).all(axis=2).any() for rows in taught)
