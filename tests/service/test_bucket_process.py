"""A service whose models and photographs lie in a bucket, in processes of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.service.running import running_service
from tests.state.moto_server import CREDENTIALS, s3_url, shared_moto

pytestmark = pytest.mark.slow


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere processes are not forked")
def test_processes_come_up_though_the_one_before_them_asked_the_bucket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    words = ("--registry", s3_url(shared_moto(), "registry"), "--blobs", s3_url(shared_moto(), "blobs"))
    with running_service(tmp_path / "state", None, *words) as service:
        assert service.get("/readyz").status == 200
