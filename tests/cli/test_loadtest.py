"""The words of ``leafsight loadtest``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.loadtest.making import add_cell, outcomes

from leafsight.cli.loadtest import _bytes, _numbers, _proxies
from leafsight.errors import UsageError
from leafsight.loadtest import StudyFolder
from leafsight.loadtest.setups import Load, SetUp

ENTRY = "from leafsight.cli import main; main()"


def leafsight(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *words], capture_output=True, text=True, timeout=120, check=False
    )


def test_lists_of_numbers_are_read_once_each() -> None:
    assert _numbers("--replicas", "1,2, 2,4", int) == (1, 2, 4)
    assert _numbers("--rates", "0.5,20", float) == (0.5, 20.0)
    for wrong in ("", "one", "-1", "1;2"):
        with pytest.raises(UsageError, match="--replicas got"):
            _numbers("--replicas", wrong, int)


def test_memory_is_read_as_engines_write_it() -> None:
    assert _bytes("512m") == _bytes("512MiB") == _bytes("0.5g") == 512 * 2**20
    assert _bytes("1024") == 1024
    with pytest.raises(UsageError, match="--memory got 'much'"):
        _bytes("much")


def test_proxies_are_yes_and_no() -> None:
    assert _proxies("no,yes") == (False, True)
    with pytest.raises(UsageError, match="--proxy got 'maybe'"):
        _proxies("maybe")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--replicas", "many"], "--replicas got 'many'"),
        (["--models", "/nowhere.leafsight"], "there is no model file /nowhere.leafsight"),
        (["--url", "http://leafsight.example"], "is not this computer"),
        (["--url", "ftp://127.0.0.1"], "is no address of a server"),
        (["--engine", "process", "--proxy", "yes"], "plain processes have no proxy"),
        (["--replicas", "0"], "replicas.0: got 0"),
        (["--engine", "process", "--cpus", "0.4", "--rates", "0"], "rates.0: got 0"),
    ],
)
def test_slips_are_told_in_two_lines(words: list[str], said: str, tmp_path: Path) -> None:
    done = leafsight("loadtest", *words, "--out", str(tmp_path / "out"), "--photos", str(tmp_path), "--quiet")
    assert done.returncode in (1, 2), done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_report_is_written_again_and_printed_as_json(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.begin({}, resume=False)
    add_cell(folder, SetUp(1), Load(5), outcomes(50))
    done = leafsight("loadtest", "report", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["failures"]["ok"] == 50
    assert (tmp_path / "report.html").exists()
    assert "carries 5 a second" in leafsight("loadtest", "report", str(tmp_path)).stdout
    assert "holds no study" in leafsight("loadtest", "report", str(tmp_path / "none")).stderr


@pytest.mark.slow
def test_sigterm_ends_a_study_with_all_its_processes(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    from tests.loadtest.making import write_photographs

    write_photographs(photos, 3)
    words = [
        "loadtest",
        "--engine",
        "process",
        "--replicas",
        "2",
        "--users",
        "0",
        "--rates",
        "2",
        "--seconds",
        "60",
    ]
    words += ["--repeats", "1", "--photos", str(photos), "--out", str(tmp_path / "out")]
    process = subprocess.Popen([sys.executable, "-c", ENTRY, *words], stderr=subprocess.PIPE, text=True)
    logs = tmp_path / "out" / "logs"
    begun_s = time.monotonic()
    while not list(logs.rglob("warm-up.jsonl.gz")):
        assert time.monotonic() - begun_s < 90
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.2)
    time.sleep(1)
    process.terminate()
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 130, talk
    assert "interrupted" in talk
    servers = [one for one in Path("/proc").glob("[0-9]*") if str(tmp_path) in _environment(one)]
    assert servers == []


def _environment(process: Path) -> str:
    try:
        return (process / "environ").read_text(errors="replace")
    except OSError:
        return ""
