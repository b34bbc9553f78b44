"""The service without a server: a bug while a job is worked off is told, not waited for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from tests.service.conftest import options_in

from leafsight.service import AtHand
from leafsight.service.clerk import Clerk


def test_a_bug_at_the_work_ends_the_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(self: Clerk) -> bool:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Clerk, "work_one", breaks)
    looks: list[float] = []

    def idle(seconds: float) -> None:
        looks.append(seconds)
        time.sleep(0.01)
        assert len(looks) < 200, "it waits for ever"

    with AtHand(options_in(tmp_path), "somebody") as here:
        job: dict[str, Any] = here.retrain("quick", "")
        with pytest.raises(RuntimeError, match="a bug"):
            list(here.work(job["job"], idle=idle))
