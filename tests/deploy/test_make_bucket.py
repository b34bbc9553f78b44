"""The one-shot that makes the bucket, against a server that speaks S3."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.state.moto_server import CREDENTIALS, s3_url, shared_moto

from leafsight.state import open_blobs

PROGRAM = Path(__file__).resolve().parents[2] / "deploy/compose/make_bucket.py"


def run(folder: Path, endpoint: str) -> subprocess.CompletedProcess[str]:
    name, secret = CREDENTIALS.values()
    file = folder / "credentials"
    file.write_text(f"[default]\naws_access_key_id = {name}\naws_secret_access_key = {secret}\n")
    environment = {**os.environ, "AWS_SHARED_CREDENTIALS_FILE": str(file)}
    words = [sys.executable, "-I", "-S", PROGRAM, endpoint, "made-by-us"]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)


def test_it_is_there_afterwards_however_often_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        done = run(tmp_path, shared_moto())
        assert (done.returncode, done.stdout) == (0, "the bucket made-by-us is there\n")
    blobs = open_blobs(s3_url(shared_moto(), "x", "made-by-us"))
    blobs.put("a", b"1")
    assert blobs.get("a") == b"1"
