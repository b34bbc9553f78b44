"""One small cluster for all tests of this folder: two workers, in processes of its own."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# A key of these tests, before Ray is loaded: it would look for one only once.
os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
pytest.importorskip("ray", reason="needs the extra cluster")

UP_S = 120


@pytest.fixture(scope="session")
def cluster_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``HOST:PORT`` of a cluster of two processes, started by the command that a person would use."""
    log = tmp_path_factory.mktemp("cluster") / "stderr.txt"
    words = [
        sys.executable,
        "-c",
        "from leafsight.cli import main; main()",
        "cluster",
        "up",
        "--workers",
        "2",
    ]
    with log.open("wb") as errors:
        up = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, env={**os.environ}, text=True)
    try:
        assert up.stdout is not None
        line = up.stdout.readline()  # ends when the process does
        found = re.match(r"(\S+:\d+): 2 processes", line)
        assert found, f"{line!r} {Path(log).read_text()}"
        yield found[1]
    finally:
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=UP_S)
