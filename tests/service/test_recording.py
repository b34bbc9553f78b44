"""Records of several requests are written together; one that cannot be kept costs nobody else theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from leafsight.errors import StateBusyError, UsageError
from leafsight.service.metrics import Metrics
from leafsight.service.recording import PAUSE_S, Recorder


class Database:
    """Takes what is not said to be bad."""

    def __init__(self, error: Exception | None = None) -> None:
        self.predictions, self.error = self, error
        self.kept: list[Any] = []
        self.asked = 0

    def add_many(self, records: Sequence[Any]) -> None:
        self.asked += 1
        if self.error is not None and "bad" in records:
            raise self.error
        self.kept.extend(records)


def keep(database: Database, *groups: list[str], clock: list[float] | None = None) -> tuple[list[bool], str]:
    """Whether each group is kept, when all come at once, and what was counted."""
    times = clock or [0.0]
    metrics = Metrics()

    async def run() -> list[bool]:
        recorder = Recorder(database, metrics, now=lambda: times[0])  # type: ignore[arg-type]
        try:
            # The first is being written while the others gather.
            together = asyncio.gather(*(recorder.keep(group) for group in groups))  # type: ignore[arg-type]
            return list(await asyncio.wait_for(together, 20))
        finally:
            recorder.close()

    return asyncio.run(run()), metrics.text().decode()


@pytest.mark.parametrize(
    "error", [UsageError("a value does not fit"), RuntimeError("a bug"), ValueError("x")]
)
def test_one_bad_record_costs_nobody_else_theirs_and_nobody_waits_for_ever(error: Exception) -> None:
    database = Database(error)
    kept, counted = keep(database, ["a"], ["b", "bad"], ["c"], ["d"])
    assert kept == [True, False, True, True]
    assert sorted(database.kept) == ["a", "c", "d"]
    assert "leafsight_predictions_unrecorded_total 2.0" in counted


def test_a_locked_database_is_left_alone_for_a_while() -> None:
    database = Database(StateBusyError("locked"))
    clock = [0.0]

    async def run() -> list[bool]:
        recorder = Recorder(database, Metrics(), now=lambda: clock[0])  # type: ignore[arg-type]
        try:
            found = [await recorder.keep(["bad"]), await recorder.keep(["a"])]  # type: ignore[list-item]
            clock[0] += PAUSE_S
            return [*found, await recorder.keep(["b"])]  # type: ignore[list-item]
        finally:
            recorder.close()

    assert asyncio.run(run()) == [False, False, True]
    assert (database.asked, database.kept) == (2, ["b"])
