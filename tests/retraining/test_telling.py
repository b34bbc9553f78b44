"""The lines of the program are what the service's job reads."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from leafsight.retraining.telling import PARTS, Telling
from leafsight.service.job_work import Work


def heard(lines: str, before: dict[str, Any] | None = None) -> Work:
    job: Any = SimpleNamespace(progress=before or {})
    nothing: Any = None
    work = Work(job, nothing, nothing, nothing, lambda: False)
    for line in lines.splitlines():
        work.heard(line)
    return work


def test_a_part_stays_while_its_tasks_go_by() -> None:
    talk = io.StringIO()
    telling = Telling(talk)
    telling.part("train", 1)
    telling.start("whole 1/5", 40)
    telling.metrics({"loss": 0.5, "epoch": 3, "broken": float("nan")})
    telling.metrics({"loss": 0.25})
    telling.eta(61.6)
    telling.eta(float("inf"))
    assert heard(talk.getvalue()).progress == {
        "part": "train",
        "step": "whole 1/5",
        "done_steps": 1,
        "steps": len(PARTS),
        "metrics": {"loss": 0.25, "epoch": 3},
        "eta_s": 62,
    }
    telling.part("gate", 3)
    assert heard(talk.getvalue()).progress == {"part": "gate", "step": "gate", "done_steps": 3, "steps": 6}


def test_counts_keep_the_part() -> None:
    progress = heard("step: snapshot 0/6\nlooking at photographs: 16/64 a note").progress
    assert progress == {
        "part": "snapshot", "step": "looking at photographs", "done_steps": 0, "steps": 6,
        "done": 16, "total": 64, "share": 0.25,
    }  # fmt: skip


def test_what_an_earlier_holder_ended_stays_ended() -> None:
    assert heard("", {"done_steps": 4}).progress == {"done_steps": 4}
    assert heard("somebody says: hello", {}).progress == {}


def test_metrics_are_numbers_only() -> None:
    for line in ("metrics: {", 'metrics: {"a": NaN, "b": "x", "c": true, "d": [1]}'):
        assert heard(line).progress.get("metrics", {}) == {}
