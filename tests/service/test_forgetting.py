"""What is older than ``keep_days`` goes, with its photographs, once the clock is borne out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.state.made_records import a_prediction

from leafsight.service.forgetting import DAY_MS, Forgetting, forget_old
from leafsight.state import open_blobs, open_state

JPEG = {"content-type": "image/jpeg"}


def test_old_predictions_go_with_their_photographs_and_corrected_ones_stay(
    start: Callable[..., TestClient],
) -> None:
    service = start(keep_photos="always")
    ids = [
        service.post("/v1/predict", content=picture_bytes(), headers=JPEG).json()["predictions"][0]["id"]
        for _ in range(3)
    ]
    service.post(f"/v1/predictions/{ids[1]}/correction", json={"right": True})
    parts = service.app.state.parts  # type: ignore[attr-defined]

    def forget(days_later: int) -> int:
        later = parts.now_ms() + days_later * DAY_MS
        return forget_old(parts.state, parts.blobs, now_ms=later, keep_days=90)

    assert (forget(89), len(list(parts.blobs.list("photographs")))) == (0, 3)
    assert (forget(91), len(list(parts.blobs.list("photographs")))) == (2, 1)
    assert [service.get(f"/v1/predictions/{one}").status_code for one in ids] == [404, 200, 404]


class Machine:
    """A machine with a clock on the wall that may be set, and one that may not."""

    def __init__(self) -> None:
        self.now_ms, self.since_start_ms = 1_790_000_000_000, 60_000

    def wait(self, days: float) -> None:
        self.now_ms += int(days * DAY_MS)
        self.since_start_ms += int(days * DAY_MS)


class Keeper:
    """Forgets what one database has, by the clocks of one machine."""

    def __init__(self, folder: Path, machine: Machine, keep_days: int = 90) -> None:
        self.machine, self._keep_days = machine, keep_days
        self.state = open_state(f"sqlite:///{folder / 'leafsight.db'}", now=lambda: machine.now_ms)
        self._blobs = open_blobs(str(folder / "blobs"))
        self.start()

    def start(self) -> None:
        """A process begins."""
        self._forgetting = Forgetting(
            self.state,
            self._blobs,
            keep_days=self._keep_days,
            now_ms=lambda: self.machine.now_ms,
            since_start_ms=lambda: self.machine.since_start_ms,
        )

    def record(self, days_ago: float = 0) -> None:
        made = self.machine.now_ms - int(days_ago * DAY_MS)
        self.state.predictions.add_many([a_prediction(created_ms=made)])

    def look(self) -> int:
        return self._forgetting.look()


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    one = Keeper(tmp_path, Machine())
    yield one
    one.state.close()


def test_a_clock_that_leaps_ahead_takes_nothing_away(
    keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    for days_ago in (0.1, 3, 30):
        keeper.record(days_ago)
    right = keeper.machine.now_ms
    keeper.machine.now_ms += 12 * 365 * DAY_MS
    keeper.record()  # of the wrong year; it must not bear the clock out
    assert keeper.look() == 0
    assert "old predictions not removed" in caplog.text
    keeper.machine.now_ms = right
    assert keeper.look() == 0


def test_a_machine_that_boots_in_another_year_takes_nothing_away(keeper: Keeper) -> None:
    keeper.record(3)
    keeper.machine.now_ms += 12 * 365 * DAY_MS
    keeper.machine.since_start_ms = 0
    for _ in range(5):
        keeper.start()  # nothing that was seen before is known any more
        keeper.record()
        assert keeper.look() == 0
        keeper.machine.wait(0.2)


def test_a_leap_of_a_month_is_noticed_too(keeper: Keeper) -> None:
    for days_ago in range(89):
        keeper.record(days_ago)
    keeper.machine.now_ms += 30 * DAY_MS
    assert keeper.look() == 0


def test_a_clock_that_goes_as_it_should_forgets(keeper: Keeper) -> None:
    for days_ago in (91, 89, 2, 0):
        keeper.record(days_ago)
    assert keeper.look() == 1
    assert len(keeper.state.predictions.page().records) == 3


def test_where_nobody_asks_any_more_what_is_old_goes_after_a_day(keeper: Keeper) -> None:
    keeper.record(95)
    assert keeper.look() == 0
    keeper.machine.wait(1)
    assert keeper.look() == 1


def test_a_day_after_a_leap_counts_from_the_leap(keeper: Keeper) -> None:
    keeper.record(1)
    keeper.machine.wait(2)
    keeper.machine.now_ms += 365 * DAY_MS
    assert keeper.look() == 0
    keeper.machine.wait(0.9)
    assert keeper.look() == 0


def test_nothing_is_said_where_nothing_is_old(keeper: Keeper, caplog: pytest.LogCaptureFixture) -> None:
    keeper.record(0)
    assert keeper.look() == 0
    assert "not removed" not in caplog.text


def test_a_short_memory_is_as_careful_and_still_forgets(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, Machine(), keep_days=1)
    for days_ago in (1.1, 0.5):
        keeper.record(days_ago)
    assert keeper.look() == 1
    keeper.machine.now_ms += 2 * DAY_MS
    assert keeper.look() == 0
    keeper.state.close()


def test_the_clock_of_the_database_counts_where_it_has_its_own(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = keeper.machine.now_ms
    monkeypatch.setattr("leafsight.state.database_clock_ms", lambda state: right)
    for days_ago in (80, 2):
        keeper.record(days_ago)
    keeper.machine.now_ms += 365 * DAY_MS
    keeper.record(2)
    assert keeper.look() == 0
