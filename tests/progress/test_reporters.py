from __future__ import annotations

import io

import pytest

from leafsight.progress import Lines, reporters


def test_lines_tell_start_steps_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 6.0, 7.5])
    monkeypatch.setattr(reporters.time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    lines = Lines(stream)
    lines.start("reading", 10)
    lines.advance(2)
    lines.advance(3, "fine")
    lines.finish("all good")
    assert stream.getvalue().splitlines() == [
        "reading: started",
        "reading: 5/10 fine",
        "reading: done in 7.5 s all good",
    ]
