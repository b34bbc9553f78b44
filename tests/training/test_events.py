from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from leafsight.training.events import EventLog, read_events


def test_records_reach_file_and_listeners(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    log = EventLog(tmp_path / "run" / "events.jsonl", listeners=[heard.append])
    log.write("step", step=1, loss=math.nan, inner={"x": [math.inf, 1.0]})
    log.close()
    (line,) = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    assert json.loads(line) == heard[0]
    assert heard[0] == {"kind": "step", "step": 1, "loss": None, "inner": {"x": [None, 1.0]}}


def test_what_lies_behind_the_checkpoint_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.write("step", step=1)
    length = log.sync()
    log.write("step", step=2)
    log.close()
    with path.open("a") as file:
        file.write('{"kind": "st')
    again = EventLog(path, keep_bytes=length)
    again.write("step", step=3)
    again.close()
    assert [event["step"] for event in read_events(path, "step")] == [1, 3]


def test_a_half_written_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"kind":"step","step":1}\n{"kind":"epoch","ep')
    assert [event["step"] for event in read_events(path)] == [1]
    assert read_events(path, "epoch") == []
