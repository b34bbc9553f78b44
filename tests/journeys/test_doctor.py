"""Somebody has installed leafsight and asks whether it works; later something is broken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.small_world import command_line

LIMIT_S = 60


def doctor(home: Path, *words: object, **environment: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        command_line("doctor", "--json", *words),
        cwd=home,
        env={**os.environ, "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def states(told: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["state"] for one in told["findings"]}


def test_a_fresh_state_folder_is_fine_and_stays_unmade(tmp_path: Path) -> None:
    state = tmp_path / "state"
    code, told = doctor(tmp_path, "--state-dir", state, LEAFSIGHT_PORT="0")
    assert (code, told["fine"], told["counts"]["fail"]) == (0, True, 0), told
    assert not state.exists()
    groups = [one["name"].partition(".")[0] for one in told["findings"]]
    assert list(dict.fromkeys(groups)) == [
        "versions", "settings", "model", "database", "store", "registry", "disk", "memory", "clock", "ports",
        "permissions", "limits",
    ]  # fmt: skip
    assert all(set(one) == {"name", "state", "said", "todo"} for one in told["findings"])
    assert all(one["todo"] for one in told["findings"] if one["state"] in ("warn", "fail"))
    assert states(told)["model.answers"] == "ok"


@pytest.mark.slow
def test_everything_that_is_far_away_is_gone_and_it_still_ends(tmp_path: Path) -> None:
    """Addresses that swallow every packet (TEST-NET-1, RFC 5737), and a model that is no model."""
    (tmp_path / "model.leafsight").write_bytes(b"none")
    started = time.monotonic()
    code, told = doctor(
        tmp_path, "--timeout-s", 8, "--url", "http://192.0.2.1:8000",
        LEAFSIGHT_STATE_DIR=str(tmp_path / "state"),
        LEAFSIGHT_DATABASE_URL="postgresql://ann:hunter22@192.0.2.1/x", LEAFSIGHT_MODEL="model.leafsight",
        LEAFSIGHT_BLOB_URL="s3://leaves?endpoint=http://192.0.2.1:9000&region=x",
        LEAFSIGHT_REGISTRY_URL="s3://models?endpoint=http://192.0.2.1:9000&region=x",
        AWS_ACCESS_KEY_ID="nobody", AWS_SECRET_ACCESS_KEY="nothing-at-all", LEAFSIGHT_PORT="0",
    )  # fmt: skip
    assert time.monotonic() - started < 20
    assert code == 1
    found = states(told)
    for check in ("database", "store", "registry", "model", "server"):
        assert "fail" in {state for name, state in found.items() if name.startswith(f"{check}.")}, check
    assert found["disk.state"] == found["clock.here"] == "ok"
    assert "hunter22" not in json.dumps(told)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root gives folders away, and setpriv takes from it the right to look into them",
)
def test_a_state_folder_of_somebody_else(tmp_path: Path) -> None:
    """The folder is also where the settings are looked for, as in our image."""
    folder, rights = tmp_path / "state", "-dac_override,-dac_read_search"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    words = command_line("doctor", "--json", before=f"import os; os.chdir({str(tmp_path)!r})")
    done = subprocess.run(
        ["setpriv", f"--inh-caps={rights}", f"--bounding-set={rights}", *words],
        env={**os.environ, "LEAFSIGHT_PORT": "0", "LEAFSIGHT_STATE_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    told = json.loads(done.stdout)
    found = states(told)
    assert done.returncode == 1
    assert "bug of ours" not in done.stdout
    assert found["disk.state_writes"] == found["model.opens"] == "fail"
    assert found["permissions.state"] in ("warn", "fail")
    assert {found["database.reached"], found["store.works"], found["registry.opens"]} == {"fail"}
    assert found["settings.read"] == found["clock.here"] == found["versions.onnxruntime"] == "ok"
