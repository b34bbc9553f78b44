from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from leafsight.errors import StorageError, UsageError
from leafsight.models import fetch_weights

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """A file server that can break off, ignore ranges, hide sizes, redirect and be counted."""

    daemon_threads = True
    knows_ranges = True
    tells_size = True
    break_after: int | None = None
    redirect_to = ""
    ranges: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.ranges.append(wanted)
        if self.path == "/missing":
            return self.send_error(404)
        if self.server.redirect_to:
            self.send_response(302)
            self.send_header("Location", self.server.redirect_to)
            return self.end_headers()
        start = int(wanted[6:-1]) if wanted and self.server.knows_ranges else 0
        if start >= len(CONTENT):
            return self.send_error(416)
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        if self.server.tells_size:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.break_after])
        return None

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.ranges = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/weights%20v1.safetensors?token=1"


class Seen:
    def __init__(self) -> None:
        self.totals: list[int | None] = []
        self.steps = 0

    def start(self, label: str, total: int | None = None) -> None:
        self.totals.append(total)

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.steps += steps

    def finish(self, note: str = "") -> None:
        pass


def test_fetches_once(server: Server, url: str, tmp_path: Path) -> None:
    seen = Seen()
    path = fetch_weights(url, SHA256, tmp_path / "cache", seen)
    assert path.read_bytes() == CONTENT
    assert path.name == f"{SHA256[:16]}-weights v1.safetensors"
    assert (seen.totals, seen.steps) == ([len(CONTENT)], len(CONTENT))
    assert fetch_weights(url, SHA256.upper(), tmp_path / "cache") == path
    assert len(server.ranges) == 1
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [path.name]


def test_damaged_cache_is_fetched_again(server: Server, url: str, tmp_path: Path) -> None:
    path = fetch_weights(url, SHA256, tmp_path)
    path.write_bytes(b"damaged")
    assert fetch_weights(url, SHA256, tmp_path).read_bytes() == CONTENT
    assert len(server.ranges) == 2


def test_goes_on_where_it_stopped(server: Server, url: str, tmp_path: Path) -> None:
    server.break_after = 300_000
    with pytest.raises(StorageError, match="after 300000 of 1024000 bytes") as caught:
        fetch_weights(url, SHA256, tmp_path)
    assert "goes on" in caught.value.hint
    assert [p.suffix for p in tmp_path.iterdir()] == [".part"]
    server.break_after = None
    seen = Seen()
    assert fetch_weights(url, SHA256, tmp_path, seen).read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=300000-"]
    assert (seen.totals, seen.steps) == ([len(CONTENT)], len(CONTENT))


def test_server_without_ranges_starts_over(server: Server, url: str, tmp_path: Path) -> None:
    server.knows_ranges = False
    server.break_after = 1000
    with pytest.raises(StorageError):
        fetch_weights(url, SHA256, tmp_path)
    server.break_after = None
    assert fetch_weights(url, SHA256, tmp_path).read_bytes() == CONTENT


def part_of(tmp_path: Path) -> Path:
    return tmp_path / f"{SHA256[:16]}-weights v1.safetensors.part"


def test_complete_part_only_needs_its_name(server: Server, url: str, tmp_path: Path) -> None:
    part_of(tmp_path).write_bytes(CONTENT)
    assert fetch_weights(url, SHA256, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT)}-"]


def test_part_of_another_file_is_given_up(server: Server, url: str, tmp_path: Path) -> None:
    part_of(tmp_path).write_bytes(b"x" * 5000)
    assert fetch_weights(url, SHA256, tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=5000-", ""]


def test_wrong_hash_leaves_nothing(url: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=f"has the SHA-256 {SHA256}, not {'0' * 64}"):
        fetch_weights(url, "0" * 64, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tells_size", [True, False])
def test_too_large_is_refused(server: Server, url: str, tmp_path: Path, tells_size: bool) -> None:
    server.tells_size = tells_size
    with pytest.raises(StorageError, match="limit of 1000"):
        fetch_weights(url, SHA256, tmp_path, max_bytes=1000)
    assert not any(path.suffix == ".safetensors" for path in tmp_path.iterdir())


def test_unknown_size_is_fine(server: Server, url: str, tmp_path: Path) -> None:
    server.tells_size = False
    seen = Seen()
    assert fetch_weights(url, SHA256, tmp_path, seen).read_bytes() == CONTENT
    assert seen.totals == [None]


def test_missing_on_the_server(server: Server, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="404"):
        fetch_weights(f"http://127.0.0.1:{server.server_address[1]}/missing", SHA256, tmp_path)


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Connection refused"):
        fetch_weights("http://127.0.0.1:9/w", SHA256, tmp_path)


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/w", "file:///etc/passwd", "w.safetensors"])
def test_only_the_web(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot download"):
        fetch_weights(address, SHA256, tmp_path)


def test_redirects_stay_on_the_web(server: Server, url: str, tmp_path: Path) -> None:
    server.redirect_to = "ftp://127.0.0.1/w"
    with pytest.raises(UsageError, match="cannot download from ftp"):
        fetch_weights(url, SHA256, tmp_path)


def test_hash_is_needed(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs the SHA-256"):
        fetch_weights(url, "abc", tmp_path)
