"""From a new crop to a model that knows it, and back, by the nine requests that docs/service.md shows.

The lines are taken as they stand there and run by a shell, against a real service with the built-in model.
Only the port is another, and ``UPLOAD`` and ``RETRAINING`` are the ids in the answers before. The new crop
is drawn.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.service.running import RunningService, running_service

from leafsight.dataset import SynthOptions, write_synthetic_collection

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="runs lines with curl"),
]
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "service.md"
NEW = "Roundleaf___Rust"
ADDRESS = re.compile(r"(?<=http://)localhost:8000")
LONGEST_S = 600.0
"""Of one line; the whole takes a minute on two idle cores."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a new crop, and a leaf of it that is not in there."""
    made = tmp_path_factory.mktemp("journey")
    options = SynthOptions(
        crops=("Roundleaf",), conditions=("Rust",), leaves_per_class=30, views_per_leaf=1, side_px=256,
        not_a_leaf=False, field_share=1.0,
    )  # fmt: skip
    write_synthetic_collection(made / "drawn", options)
    photographs = sorted((made / "drawn").rglob("*.jpg"))
    with zipfile.ZipFile(made / "leaves.zip", "w") as packed:
        for one in photographs[1:]:
            packed.write(one, f"{NEW}/{one.name}")
    shutil.copyfile(photographs[0], made / "leaf.jpg")
    (made / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
    return made


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("served"), None, "--deadline-ms", "60000") as one:
        yield one


def nine_lines() -> list[str]:
    """The lines as they stand in the document."""
    (block,) = re.findall(r"^```shell\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    return [line for line in block.splitlines() if line]


def asker(folder: Path, service: RunningService) -> Callable[..., str]:
    """Runs one line; names in capitals are replaced by what stands for them."""
    environment = {**os.environ, "HOME": str(folder), "CURL_HOME": str(folder), "NO_PROXY": "*"}

    def ask(line: str, **names: str) -> str:
        for name, value in names.items():
            line = line.replace(name.upper(), value)
        command = ADDRESS.sub(f"127.0.0.1:{service.port}", line)
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True,
            timeout=LONGEST_S,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stdout} {done.stderr} {''.join(service.said[-10:])}"
        return done.stdout

    return ask


def last_event(events: str) -> dict[str, Any]:
    """The last state that was told of a job."""
    told = [line.removeprefix("data: ") for line in events.splitlines() if line.startswith("data: ")]
    said: dict[str, Any] = json.loads(told[-1])
    return said


def answer_of(predicted: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(predicted)["predictions"][0]
    return said


def until_served(ask: Callable[..., str], line: str, model: str) -> dict[str, Any]:
    """The diagnosis, when this model gives it."""
    while (said := answer_of(ask(line)))["model_hash"] != model:
        pass
    return said


def test_a_new_crop_is_taught_by_nine_requests(folder: Path, service: RunningService) -> None:
    lines = nine_lines()
    assert len(lines) == 9
    ask = asker(folder, service)
    send, follow_upload, declare, accept, retrain, follow, gate, diagnose, roll_back = lines
    before = answer_of(ask(diagnose))
    assert before["key"] != "roundleaf/rust"

    upload = json.loads(ask(send))["id"]
    looked_into = last_event(ask(follow_upload, upload=upload))
    assert (looked_into["state"], looked_into["result"]["usable"]) == ("done", 29), looked_into
    assert json.loads(ask(declare))["name"] == NEW
    assert json.loads(ask(accept, upload=upload)) == {"changed": 29, "skipped": []}

    retraining = json.loads(ask(retrain))["id"]
    ended = last_event(ask(follow, retraining=retraining))
    assert ended["state"] == "done", ended["error"]
    result = ended["result"]
    assert result["classes_added"] == [NEW]
    shown = json.loads(ask(gate, retraining=retraining))
    assert shown["gate"]["passed"], shown["gate"]["said"]
    assert (result["promoted"], result["parent"]) == (True, before["model_hash"])
    assert shown["snapshot"]["classes"][-1] == NEW

    taught = until_served(ask, diagnose, result["candidate"])
    assert (taught["verdict"], taught["class_name"]) == ("diagnosis", NEW), taught
    assert json.loads(ask(roll_back))["model"] == before["model_hash"]
    again = until_served(ask, diagnose, before["model_hash"])
    assert {name: again[name] for name in ("verdict", "key", "probability")} == {
        name: before[name] for name in ("verdict", "key", "probability")
    }
