"""A service whose models and photographs lie in a bucket, in processes of its own."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.fakes.ports import free_port
from tests.journeys.small_world import leafsight
from tests.service.running import running_service
from tests.state.moto_server import CREDENTIALS, s3_url, shared_moto, start_moto, stop

from leafsight.errors import MissingExtraError, StateBusyError
from leafsight.service import first_look
from leafsight.state import open_objects

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


def test_a_bucket_that_was_never_reached_is_said_at_once_and_in_our_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    # A process that has asked a bucket itself, as this one, has threads that a forked one would miss.
    monkeypatch.setattr(first_look, "PATIENCE_S", 60.0)
    with pytest.raises(StateBusyError):
        open_objects(s3_url("http://127.0.0.1:9", "x")).look("models")
    words = ("serve", "--port", "0", "--state-dir", tmp_path, "--registry", s3_url("http://127.0.0.1:9", "x"))
    told = leafsight(*words)
    assert (told.code, told.err.splitlines()) == (
        1,
        [
            "error: the bucket of the registry was never reached from here: "
            "the bucket 'leaves' does not answer",
            "hint: try again when it answers, or serve one file with --model",
        ],
    )


def test_a_bucket_that_comes_later_is_waited_for_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that has just been started does not find its neighbours for some seconds."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    port, started = free_port(), list[subprocess.Popen[bytes]]()
    bucket = f"http://127.0.0.1:{port}"
    later = threading.Timer(4, lambda: started.append(start_moto(port=port)[0]))
    later.start()
    words = ("--registry", s3_url(bucket, "registry"), "--blobs", s3_url(bucket, "blobs"), "--wait", "50")
    try:
        with running_service(tmp_path / "state", None, *words) as service:
            assert service.get("/readyz").status == 200
            assert service.said[0].startswith(
                "waiting: the bucket of the registry was never reached from here: "
            )
    finally:
        later.join()
        for process in started:
            stop(process)


def test_a_missing_library_is_told_from_one_process_to_another() -> None:
    told = pickle.loads(pickle.dumps(MissingExtraError("obstore", "serve")))
    assert (told.package, told.extra, told.message) == (
        "obstore", "serve", "this needs 'obstore', which is not installed",
    )  # fmt: skip
