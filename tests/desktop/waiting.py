"""A session whose news are taken by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import LABELS

from leafsight.desktop.session import Keeper, Loaded, Photograph, Session
from leafsight.desktop.session.loading import model_of
from leafsight.inference import Predictor

PATIENCE_S = 30.0


class Waiting:
    """A session whose news are taken by hand, until something holds."""

    def __init__(self, predictor: Predictor | Callable[[], Loaded], keeper: Keeper | None = None) -> None:
        self.woken = threading.Event()
        self.rounds: list[Any] = []
        load = (
            predictor if callable(predictor) else lambda: Loaded(predictor, model_of("fake", "abc", LABELS))
        )
        self.session = Session(load, threads=2, wake=self.woken.set, keeper=keeper)

    def until(self, holds: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE_S
        while True:
            self.rounds.append(self.session.news())
            assert self.session.waiting == sum(one.waits for one in self.session.photographs)
            if holds():
                return
            assert time.monotonic() < end, self.session.news()
            self.woken.wait(0.05)
            self.woken.clear()

    def all_answered(self, number: int) -> list[Photograph]:
        self.until(lambda: len(self.session) == number and not self.session.waiting)
        return list(self.session.photographs)


@contextmanager
def opened(
    predictor: Predictor | Callable[[], Loaded] | None = None, keeper: Keeper | None = None
) -> Iterator[Waiting]:
    waiting = Waiting(predictor or FakePredictor(), keeper)
    try:
        yield waiting
    finally:
        waiting.session.close()
