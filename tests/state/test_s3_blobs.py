"""What only a bucket does: being far away, refusing, and going away in the middle."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.state.moto_server import CREDENTIALS, make_bucket, s3_url, shared_moto, start_moto, stop

from leafsight.errors import ConfigError, MissingExtraError, NotFoundError, StateBusyError, StateError
from leafsight.state import s3_blobs
from leafsight.state.blobs import Blobs, open_blobs


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


class StubbornHandler(BaseHTTPRequestHandler):
    """Answers every request with the status that the server carries; 0 is silence, 1 is half a body."""

    def answer(self) -> None:
        server: StubbornServer = self.server  # type: ignore[assignment]
        server.asked += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if server.status == 0:
            server.release.wait(30)
            return
        if server.status == 1 and server.asked > 1:  # gone before the rest is asked for
            self.close_connection = True
            return
        half = server.status == 1
        self.send_response(200 if half else server.status)
        self.send_header("Content-Length", "100000" if half else str(len(server.body)))
        if half:
            self.send_header("ETag", '"x"')
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(b"half" if half else server.body)
        self.close_connection = True

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST = answer

    def log_message(self, *words: object) -> None:
        pass


class StubbornServer(ThreadingHTTPServer):
    daemon_threads = True
    status, body, asked = 503, b"", 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StubbornHandler)
        self.release = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def stubborn() -> Iterator[StubbornServer]:
    with StubbornServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


def calls(blobs: Blobs) -> list[object]:
    return [
        lambda: blobs.put("a", b"x"),
        lambda: blobs.get("a"),
        lambda: blobs.delete("a"),
        lambda: list(blobs.list()),
        blobs.check,
    ]


def test_prefixes_keep_two_services_apart_in_one_bucket() -> None:
    one, other = (open_blobs(s3_url(shared_moto(), prefix)) for prefix in ("one", "other/deep"))
    one.put("a", b"1")
    other.put("a", b"2")
    assert (one.get("a"), other.get("a")) == (b"1", b"2")
    assert list(one.list()) == list(other.list()) == ["a"]


def test_a_bucket_without_a_prefix() -> None:
    make_bucket(shared_moto(), "bare")
    blobs = open_blobs(s3_url(shared_moto(), "", "bare"))
    blobs.put("a/b", b"1")
    assert list(blobs.list()) == ["a/b"]


def test_a_bucket_that_is_missing_is_an_error_and_not_an_empty_one() -> None:
    for call in calls(open_blobs(s3_url(shared_moto(), "x", "nowhere"))):
        with pytest.raises(StateError, match="there is no bucket 'nowhere'") as told:
            call()
        assert not isinstance(told.value, StateBusyError)


@pytest.mark.slow
def test_s3_gone_in_the_middle_is_busy_and_nothing_is_lost() -> None:
    process, endpoint = start_moto()
    try:
        blobs = open_blobs(s3_url(endpoint, "x"))
        blobs.put("a", b"1")
        blobs.check()
    finally:
        stop(process)
    for call in calls(blobs):
        with pytest.raises(StateBusyError, match="the bucket 'leaves' does not answer") as told:
            call()
        assert (told.value.http_status, told.value.hint) == (503, "try again in a moment")
        assert endpoint not in str(told.value)


def test_tries_are_few(stubborn: StubbornServer) -> None:
    blobs = open_blobs(s3_url(stubborn.endpoint, "x"))
    with pytest.raises(StateBusyError, match="answers 503"):
        blobs.get("a")
    assert stubborn.asked == 1 + s3_blobs.RETRIES


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_what_passes_is_busy(stubborn: StubbornServer, status: int) -> None:
    stubborn.status = status
    for call in calls(open_blobs(s3_url(stubborn.endpoint, "x"))):
        with pytest.raises(StateBusyError, match=str(status)):
            call()


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_no_reason_to_try_again(stubborn: StubbornServer, status: int) -> None:
    stubborn.status = status
    for call in calls(open_blobs(s3_url(stubborn.endpoint, "x"))):
        with pytest.raises(StateError, match="does not let us in") as told:
            call()
        assert not isinstance(told.value, StateBusyError)
        assert "AWS_ACCESS_KEY_ID" in told.value.hint


@pytest.mark.parametrize("status", [200, 301, 400])
def test_a_server_that_is_no_s3(stubborn: StubbornServer, status: int) -> None:
    stubborn.status = status
    for call in calls(open_blobs(s3_url(stubborn.endpoint, "x")))[3:]:
        with pytest.raises(StateError, match="gives no proper answer") as told:
            call()
        assert not isinstance(told.value, StateBusyError)


def test_a_missing_object_of_a_store_that_does_not_say_why(stubborn: StubbornServer) -> None:
    stubborn.status = 404
    blobs = open_blobs(s3_url(stubborn.endpoint, "x"))
    blobs.delete("a")
    with pytest.raises(NotFoundError):
        blobs.get("a")
    with pytest.raises(StateError, match="no bucket"):
        blobs.put("a", b"x")


@pytest.mark.slow
def test_a_silent_server_is_busy(stubborn: StubbornServer) -> None:
    stubborn.status = 0
    for call in calls(open_blobs(s3_url(stubborn.endpoint, "x"), timeout_s=0.3)):
        with pytest.raises(StateBusyError, match="does not answer"):
            call()


@pytest.mark.slow
def test_a_body_that_breaks_off_is_busy_and_never_half_a_photograph(stubborn: StubbornServer) -> None:
    stubborn.status = 1
    with pytest.raises(StateBusyError):
        open_blobs(s3_url(stubborn.endpoint, "x"), timeout_s=0.3).get("a")


def test_without_credentials(stubborn: StubbornServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client then asks the machine's own service, which this test puts in the stubborn one's place."""
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", stubborn.endpoint)
    monkeypatch.setattr(s3_blobs, "_METADATA_SERVICE", stubborn.endpoint)
    stubborn.status = 404
    with pytest.raises(StateError, match="there are no credentials for the bucket 'leaves'"):
        open_blobs(s3_url("http://127.0.0.1:1", "x")).check()


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("s3://", "names no bucket"),
        ("s3:///prefix", "names no bucket"),
        ("s3://b#x", "names no bucket"),
        ("s3://bucket/x?endpont=http://h", "did you mean 'endpoint'"),
        ("s3://bucket/x?endpoint=ftp://h", "http://host:port"),
        ("s3://bucket/x?endpoint=http://user:secret@h", "http://host:port"),
        ("s3://bucket/x?&&=", "cannot be read"),
        ("s3://key:secret@bucket/x", "credentials do not belong"),
        ("s3://[bucket/x", "cannot be read"),
    ],
)
def test_an_address_that_cannot_be_understood(url: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word) as told:
        open_blobs(url)
    assert "secret" not in str(told.value)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(MissingExtraError) as told:
        open_blobs("s3://bucket/x")
    assert told.value.hint == "pip install 'leafsight[serve]'"
