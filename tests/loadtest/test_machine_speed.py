"""How fast a processor is."""

from __future__ import annotations

import hashlib

import pytest

from leafsight.loadtest import machine


def test_speed_is_work_by_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that only work moves: 2 ms a block."""
    worked: list[int] = []

    def hashed(data: bytes) -> object:
        worked.append(len(data))
        return hashlib.sha256()

    monkeypatch.setattr(machine.hashlib, "blake2b", hashed)
    monkeypatch.setattr(machine.time, "process_time", lambda: 7.0 + 0.002 * len(worked))
    assert machine.speed_mb_s() == pytest.approx(2**18 / 1e6 / 0.002)
    assert 100 <= len(worked) <= 101
