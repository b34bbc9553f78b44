"""A web server on this machine that fails, stalls and lies as it is told; nothing leaves the machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEFAULT_KIND = "application/octet-stream"


@dataclass
class Page:
    """What one address answers, and how badly.

    Attributes:
        content: the bytes; ``next_content`` takes their place from the second request on, with another ETag.
        codes: answers given first, one a request, such as (500, 503).
        break_after: bytes of the body after which the line is cut, one a request; ``None`` sends all.
        stall_after: bytes after which nothing comes any more.
        announce: lie in Content-Length.
        knows_ranges, has_etag, tells_size: what the server is able to.
        range_shift: send a range that begins so many bytes too late.
        location: redirect there.
        retry_after: header of the answers in ``codes``.
    """

    content: bytes = b""
    next_content: bytes | None = None
    codes: list[int] = field(default_factory=list)
    break_after: list[int | None] = field(default_factory=list)
    stall_after: int | None = None
    announce: int | None = None
    knows_ranges: bool = True
    has_etag: bool = True
    tells_size: bool = True
    range_shift: int = 0
    location: str = ""
    kind: str = DEFAULT_KIND
    retry_after: str = ""
    wants_authorization: str = ""


class Server(ThreadingHTTPServer):
    """Pages by path; ``asked`` lists the requests as (path, Range, If-Range, Authorization)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str, str, str]] = []
        self.ended = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def put(self, path: str, content: bytes = b"", **lies: object) -> str:
        self.pages[path] = Page(content, **lies)  # type: ignore[arg-type]
        return self.url(path)

    def ranges(self, path: str) -> list[str]:
        return [wanted for asked, wanted, _, _ in self.asked if asked == path]


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path)
        wanted, validator = self.headers.get("Range", ""), self.headers.get("If-Range", "")
        secret = self.headers.get("Authorization", "")
        self.server.asked.append((self.path, wanted, validator, secret))
        if page is None:
            return self.send_error(404)
        if page.wants_authorization and secret != page.wants_authorization:
            return self.send_error(401)
        if page.location:
            return self._redirect(page.location)
        if page.codes:
            return self._refuse(page)
        etag = f'"{len(page.content)}-{hash(page.content)}"'
        start = int(wanted[6:-1]) if wanted and page.knows_ranges else 0
        if validator and validator != etag:
            start = 0
        if start and start >= len(page.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(page.content)}")
            return self.end_headers()
        self._send(page, start, etag)
        if page.next_content is not None:
            page.content, page.next_content = page.next_content, None
        return None

    def _redirect(self, location: str) -> None:
        self.send_response(302)
        self.send_header("Location", location)
        self.end_headers()

    def _refuse(self, page: Page) -> None:
        self.send_response(page.codes.pop(0))
        if page.retry_after:
            self.send_header("Retry-After", page.retry_after)
        self.end_headers()

    def _send(self, page: Page, start: int, etag: str) -> None:
        begin = start + page.range_shift if start else 0
        body = page.content[begin:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", page.kind)
        self.send_header("Last-Modified", formatdate(0, usegmt=True)) if page.has_etag else None
        if page.has_etag:
            self.send_header("ETag", etag)
        if start:
            total = len(page.content)
            self.send_header("Content-Range", f"bytes {begin}-{total - 1}/{total}")
        if page.tells_size:
            self.send_header("Content-Length", str(page.announce if page.announce is not None else len(body)))
        self.end_headers()
        stop = page.break_after.pop(0) if page.break_after else None
        if page.stall_after is not None:
            self.wfile.write(body[: page.stall_after])
            self.wfile.flush()
            self.server.ended.wait(10)
            return
        self.wfile.write(body[:stop])

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    """A server for the length of the block."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
