"""A training run is killed, killed again, asked to stop, and in the end is the run that nobody disturbed."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.small_world import World, in_another_process, weights_hash, with_settings

KILLED_WHILE_DECODING = """
import os, signal
from leafsight.dataset import cache_building
cache_building._written = lambda *values: os.kill(os.getpid(), signal.SIGKILL)
"""
AT_THE_FIRST_STEP = """
import os, signal
from leafsight.training import EventLog
write = EventLog.write
def telling(self, kind, **values):
    write(self, kind, **values)
    if kind == "step":
        os.kill(os.getpid(), signal.{signal})
EventLog.write = telling
"""


def test_killed_twice_stopped_once_and_still_the_same_weights(world: World, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = (
        "train", "simple-cnn", "--data", world.photographs, "--out", run, "--no-export", "-q",
        *with_settings(),
    )  # fmt: skip
    assert in_another_process(*words, before=KILLED_WHILE_DECODING).code == -9
    assert not (run / "run.json").exists()

    assert in_another_process(*words, before=AT_THE_FIRST_STEP.format(signal="SIGKILL")).code == -9
    assert not (run / "checkpoint" / "best.safetensors").exists()

    stopped = in_another_process(*words, before=AT_THE_FIRST_STEP.format(signal="SIGINT"))
    assert stopped.code == 1
    assert "stopped by SIGINT" in stopped.error_lines[0]
    assert stopped.error_lines[1] == "hint: run the same command again to go on from there"

    done = in_another_process(*words)
    assert done.code == 0, done.err
    assert weights_hash(run) == weights_hash(world.run)
    assert not list(run.rglob("*.part"))
