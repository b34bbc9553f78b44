"""Tests that share something dear run in one process, which pytest and its plugin must agree on.

With pytest 9.2 and pytest-xdist 3.8 they did not: what takes minutes to build was built in each process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import os
import pytest

@pytest.mark.xdist_group("dear")
@pytest.mark.parametrize("number", range(12))
def test_it(number, record_property):
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(f"{os.getpid()}\\n")
"""


def test_a_group_stays_in_one_process(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    for name in ("test_one.py", "test_other.py"):
        (tmp_path / name).write_text(TESTS)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            "2",
            "--dist",
            "loadgroup",
            "-q",
            "-p",
            "no:cacheprovider",
            ".",
        ],
        cwd=tmp_path,
        env={**os.environ, "SEEN": str(tmp_path / "seen"), "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    processes = (tmp_path / "seen").read_text().split()
    assert len(processes) == 24
    assert len(set(processes)) == 1
