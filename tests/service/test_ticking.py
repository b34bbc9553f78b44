"""What each process looks after once a minute: it goes on, whatever fails there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.service.contributed import parts_of

from leafsight.errors import StateBusyError
from leafsight.service import ticking
from leafsight.service.clerk_bell import TRAIN, WORK, Bell
from leafsight.service.ticking import Ticking, take


class Monitor:
    """Stands for that of room ``monitoring``."""

    def __init__(self) -> None:
        self.ticks, self.closed = 0, False

    def tick(self) -> dict[str, Any]:
        self.ticks += 1
        if self.ticks == 2:
            raise RuntimeError("a bug")
        return {}

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> Monitor:
    made = Monitor()
    monkeypatch.setattr(ticking, "_monitor", lambda parts, bell: made)
    monkeypatch.setattr(ticking, "FIRST_S", 0.0)
    monkeypatch.setattr(ticking, "EVERY_S", 0.01)
    monkeypatch.setattr(ticking, "EVERY_MS", 0)
    return made


async def until(true: Callable[[], bool], one: Ticking, parts: Any) -> None:
    """Let it run until this holds."""
    task = asyncio.create_task(one.run(parts))
    try:
        async with asyncio.timeout(30):
            while not true():
                await asyncio.sleep(0.005)
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.fixture
def quiet(start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A service that does not look by itself."""

    async def nothing(self: Ticking, parts: Any) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as still:
        still.setattr(Ticking, "run", nothing)
        return start()


def test_a_look_goes_on_whatever_fails(
    quiet: TestClient, monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def fail(state: Any, options: Any) -> None:
        looks.append(len(looks))
        if len(looks) == 1:
            raise StateBusyError("the database is locked")
        if len(looks) == 2:
            raise KeyError("a bug")

    monkeypatch.setattr(ticking.triggers, "look", fail)
    one = Ticking(Bell())
    asyncio.run(until(lambda: len(looks) >= 4 and monitor.ticks >= 4, one, parts_of(quiet)))
    assert monitor.closed
    assert take(parts_of(quiet).state) is not None, "each look let go of its minute"


def test_it_rings_for_what_it_found(
    quiet: TestClient, monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    bell = Bell()
    bell.hang(rung.append)
    monkeypatch.setattr(ticking.triggers, "look", lambda state, options: object())
    monkeypatch.setattr(ticking.parted_uploads, "look_after", lambda parts: 1)
    asyncio.run(until(lambda: len(rung) >= 2, Ticking(bell), parts_of(quiet)))
    assert set(rung) == {TRAIN, WORK}


def test_a_nudge_is_a_look_at_once(
    quiet: TestClient, monitor: Monitor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ticking, "FIRST_S", 600.0)
    looks: list[int] = []
    monkeypatch.setattr(ticking.triggers, "look", lambda state, options: looks.append(1))
    one = Ticking(Bell())
    one.nudge()  # before it runs: nobody is there

    def nudged() -> bool:
        one.nudge()
        return bool(looks)

    asyncio.run(until(nudged, one, parts_of(quiet)))
    assert monitor.ticks == 0
