"""kill -9 before every step on disk of every change: the old state or the new one, and nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
]


def every_kill(act: str, folder: Path, files: dict[str, Path]) -> list[dict[str, Any]]:
    """What was found after a kill at each step."""
    words = [files[name] for name in ("shipped", "apples", "beans", "cherries")]
    done = subprocess.run(
        [sys.executable, REPOSITORY / "tests/registry/killed_at.py", act, folder, *words],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    *found, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert last["steps"] == len(found)
    return found


def check(found: list[dict[str, Any]], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Each kill left the state of before or of after, for readers at once and for openers without a trace."""
    seen = []
    for one in found:
        state = {key: one["read"][key] for key in before}
        assert state in (before, after), one
        assert {key: one["opened"][key] for key in before} in (before, after), one
        assert one["opened"]["numbers"] == sorted(one["opened"]["numbers"], reverse=True)
        assert one["opened"]["lines"] == len(one["opened"]["numbers"])
        assert (one["opened"]["damages"], one["opened"]["parts"]) == ([], [])
        assert one["again"]["damages"] == []
        seen.append(state == after)
    assert seen == sorted(seen), "there is more than one moment at which the change happens"
    assert seen[0] is False
    assert seen[-1] is True


ALL = ["apples", "beans", "cherries", "shipped"]
WITHOUT = ["apples", "beans", "shipped"]


def test_add(tmp_path: Path, files: dict[str, Path]) -> None:
    found = every_kill("add", tmp_path, files)
    assert len(found) > 8
    check(found, {"names": WITHOUT, "serving": "beans"}, {"names": ALL, "serving": "beans"})
    assert all(one["again"]["names"] == ALL for one in found)


def test_promote(tmp_path: Path, files: dict[str, Path]) -> None:
    found = every_kill("promote", tmp_path, files)
    assert len(found) > 8
    check(found, {"serving": "beans", "numbers": [2, 1]}, {"serving": "cherries", "numbers": [3, 2, 1]})
    for one in found:
        assert one["opened"] | one["read"] == one["opened"], "opening changed what serves"
        assert (one["again"]["serving"], one["again"]["numbers"]) == ("cherries", [3, 2, 1])


def test_the_first_promotion_of_an_alias(tmp_path: Path, files: dict[str, Path]) -> None:
    found = every_kill("first", tmp_path, files)
    for one in found:
        assert (one["opened"]["serving"], one["opened"]["numbers"]) == ("beans", [2, 1])
        assert (one["opened"]["damages"], one["opened"]["parts"], one["again"]["damages"]) == ([], [], [])


def test_rollback(tmp_path: Path, files: dict[str, Path]) -> None:
    found = every_kill("rollback", tmp_path, files)
    check(found, {"serving": "beans", "numbers": [2, 1]}, {"serving": "apples", "numbers": [3, 2, 1]})


def test_remove(tmp_path: Path, files: dict[str, Path]) -> None:
    found = every_kill("remove", tmp_path, files)
    assert all(one["again"]["names"] == WITHOUT for one in found)
    for one in found:
        assert one["opened"]["names"] in (ALL, WITHOUT)
        assert (one["opened"]["damages"], one["opened"]["parts"]) == ([], [])
    assert found[-1]["opened"]["names"] == WITHOUT


def test_a_server_that_pulls_from_a_bucket(tmp_path: Path, files: dict[str, Path]) -> None:
    words = [files[name] for name in ("shipped", "apples", "beans")]
    done = subprocess.run(
        [sys.executable, REPOSITORY / "tests/registry/killed_pull.py", tmp_path, *words],
        env={
            **os.environ,
            "PYTHONPATH": f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}",
            "OPENBLAS_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    *found, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert last["steps"] == len(found) > 15
    alone = [one["alone"] for one in found]
    assert set(alone) == {"apples", "beans"}
    assert alone == sorted(alone), "there is one moment at which the server's alias moves"
    assert all((one["again"], one["parts"]) == ("beans", []) for one in found)
