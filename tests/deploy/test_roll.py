"""Rolling out a new image, with an engine that is a file: what is started and stopped, and in which order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROLL = Path(__file__).parents[2] / "deploy" / "compose" / "roll.py"
ENGINE = """#!{python}
import json, sys
from pathlib import Path
file = Path({file!r})
found = json.loads(file.read_text())
words = sys.argv[1:]
there = found["running"]
if words[0] == "ps":
    assert "label=com.docker.compose.service=replica" in words, words
    assert "label=com.docker.compose.project=farm" in words, words
    print("\\n".join(there))
elif words[0] == "inspect":
    print(found["made"].index(words[-1]) if words[2] == "{{{{.Created}}}}" else found["health"])
elif words[0] == "healthcheck":
    raise SystemExit(found["health"] != "healthy")
elif words[0] == "stop":
    there.remove(words[1])
elif words[0] == "up":
    wanted = int(words[words.index("--scale") + 1].partition("=")[2])
    # As podman-compose does it: what is missing of the first so many names.
    names = ["c%d-%s" % (n, found["image"]) for n in range(1, wanted + 1)]
    for name in names:
        if name[:2] not in [one[:2] for one in there]:
            there.append(name)
            found["made"].append(name)
found["log"].append([words[0], len(there)])
file.write_text(json.dumps(found))
"""


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """Two replicas of the old image run; the next ones are of the new."""
    file = tmp_path / "state.json"
    running = ["c1-old", "c2-old"]
    file.write_text(
        json.dumps({"running": running, "made": [*running], "image": "new", "health": "healthy", "log": []})
    )
    program = tmp_path / "bin" / "podman"
    program.parent.mkdir()
    program.write_text(ENGINE.format(python=sys.executable, file=str(file)))
    program.chmod(0o755)
    return file


def roll(engine: Path, *more: str) -> subprocess.CompletedProcess[str]:
    folder = engine.parent / "bin"
    # "compose -p farm up ..." reaches the same program, which looks at the words behind the options.
    (folder / "compose").write_text(f'#!/bin/sh\nshift 2\nexec {folder}/podman "$@"\n')
    (folder / "compose").chmod(0o755)
    words = [
        sys.executable,
        str(ROLL),
        "--engine",
        "podman",
        "--compose",
        f"{folder}/compose -p farm",
        "--known-s",
        "0",
    ]
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run([*words, *more], capture_output=True, text=True, env=environment, timeout=60)


def test_every_replica_is_replaced_and_there_are_never_fewer(engine: Path) -> None:
    done = roll(engine)
    assert done.returncode == 0, done.stderr
    found = json.loads(engine.read_text())
    assert found["running"] == ["c1-new", "c2-new"]
    changes = [(word, count) for word, count in found["log"] if word in ("up", "stop")]
    assert changes == [("up", 3), ("stop", 2), ("up", 3), ("stop", 2), ("up", 3), ("stop", 2)]
    assert "2 of 2 replicas are replaced" in done.stdout


def test_a_new_image_that_does_not_get_ready_is_taken_away_and_the_old_ones_stay(engine: Path) -> None:
    engine.write_text(json.dumps(json.loads(engine.read_text()) | {"health": "starting"}))
    done = roll(engine, "--ready-s", "0.5")
    assert done.returncode == 1
    assert "error: a new replica was not ready within 0 s" in done.stderr
    assert json.loads(engine.read_text())["running"] == ["c1-old", "c2-old"]


def test_without_a_replica_there_is_nothing_to_replace(engine: Path) -> None:
    engine.write_text(json.dumps(json.loads(engine.read_text()) | {"running": []}))
    done = roll(engine)
    assert (done.returncode, done.stderr.strip()) == (1, "error: no replica runs")
