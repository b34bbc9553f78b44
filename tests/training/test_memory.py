from __future__ import annotations

import pytest
import torch

from leafsight.errors import DeviceMemoryError
from leafsight.training.memory import PieceCounter


def test_pieces_double_until_it_fits_and_stay() -> None:
    told: list[tuple[int, int]] = []
    counter = PieceCounter(1, lambda before, after: told.append((before, after)))
    tried = []

    def attempt(pieces: int) -> str:
        tried.append(pieces)
        if pieces < 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "fits"

    assert counter.run(attempt, 16) == "fits"
    assert tried == [1, 2, 4]
    assert told == [(1, 2), (2, 4)]
    assert counter.run(attempt, 16) == "fits"
    assert tried == [1, 2, 4, 4]


def test_the_allocator_of_the_cpu_counts_and_other_errors_do_not() -> None:
    counter = PieceCounter(1, lambda *_: None)

    def short_of_memory(pieces: int) -> int:
        if pieces == 1:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return pieces

    assert counter.run(short_of_memory, 8) == 2

    def wrong_shape(_: int) -> int:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        counter.run(wrong_shape, 8)


def test_one_photograph_that_does_not_fit_is_an_error() -> None:
    def attempt(_: int) -> int:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(DeviceMemoryError, match="one photograph"):
        PieceCounter(1, lambda *_: None).run(attempt, 3)
