"""The quick way to take a form apart, against the framework's parser, which reads all others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from leafsight.service.forms import plain_files

TYPE = "multipart/form-data; boundary=abc"


def form(*parts: bytes, boundary: bytes = b"abc", end: bytes = b"--\r\n") -> bytes:
    """A body of these parts, heads and all."""
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + end


def file(name: bytes, data: bytes, more: bytes = b"\r\nContent-Type: image/jpeg") -> bytes:
    return (
        b'Content-Disposition: form-data; name="photo"; filename="' + name + b'"' + more + b"\r\n\r\n" + data
    )


def slowly(content_type: str, body: bytes) -> list[tuple[str, bytes]] | None:
    """What the framework's parser makes of it: all files, ``None`` for no form or one with other fields."""

    async def whole() -> AsyncIterator[bytes]:
        yield body

    async def parsed() -> list[tuple[str, bytes]] | None:
        try:
            found = await MultiPartParser(Headers({"content-type": content_type}), whole()).parse()
        except (MultiPartException, UnicodeError):
            return None
        items = [value for _, value in found.multi_items()]
        files = [(one.filename or "", await one.read()) for one in items if isinstance(one, UploadFile)]
        await found.close()
        return files if len(files) == len(items) else None

    return asyncio.run(parsed())


names = st.text(st.characters(codec="utf-8"), max_size=12).map(str.encode) | st.sampled_from(
    [b"leaf.jpg", b"C:\\leaf.jpg", b'a"b', b"a%22b", b"a;b", b"..", b"a\rb", b"%s", b"'a'", b"/a/b", b"a\\b"]
)
contents = st.binary(max_size=60) | st.lists(
    st.sampled_from(
        [b"\r\n", b"--", b"abc", b"\r", b"\n", b"a", b"\x00", b"-", b"\r\n--abc", b"--abc--\r\n", b": "]
    ),
    max_size=8,
).map(b"".join)
more = st.sampled_from(
    [
        b"\r\nContent-Type: image/jpeg",
        b"",
        b"\r\nContent-Type: a; b=c",
        b"\r\nX: y",
        b"\r\n folded",
        b"\nX: y",
        b"; x=y",
    ]
)
ends = st.sampled_from([b"--\r\n", b"--", b"--\r\nmore", b"\r\n", b"", b"--\r\n\r\n", b" --\r\n"])


@given(st.lists(st.builds(file, names, contents, more) | contents, max_size=4), ends)
@example([file(b"leaf.jpg", b"\r\n--abcd")], b"--\r\n")
@example([file(b"leaf.jpg", b"\r\n--abc \r\n")], b"--\r\n")
@example([file(b"leaf.jpg", b"")], b"--\r\n")
@example([], b"--\r\n")
def test_what_is_taken_means_the_same_to_the_framework(parts: list[bytes], end: bytes) -> None:
    body = form(*parts, end=end)
    quickly = plain_files(TYPE, body, 1000)
    assert quickly is None or quickly == slowly(TYPE, body)


@given(st.binary(max_size=200))
def test_any_bytes_at_all(body: bytes) -> None:
    assert plain_files(TYPE, body, 10) is None
    assert plain_files(TYPE, b"--abc" + body + b"--abc--\r\n", 10) in (
        None,
        slowly(TYPE, b"--abc" + body + b"--abc--\r\n"),
    )


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; charset=utf-8; boundary=abc",
        'multipart/form-data; boundary="a\\"bc"',
        "multipart/form-data; boundary=" + "a" * 71,
        "multipart/mixed; boundary=abc",
    ],
)
def test_an_unusual_type_is_left_to_the_framework(content_type: str) -> None:
    assert plain_files(content_type, form(file(b"leaf.jpg", b"data")), 10) is None


def test_forms_as_clients_write_them_are_taken() -> None:
    """Chromium, Firefox, curl and our own HTTP library; the first three as recorded."""
    for boundary in (
        "----WebKitFormBoundary7MA4YWxkTrZu0gW",
        "---------------------------9051914041544843365972754266",
        "------------------------d74496d66958873e",
    ):
        body = form(file(b"leaf (1).jpg", b"\xff\xd8\r\n"), file(b"b.jpg", b""), boundary=boundary.encode())
        found = plain_files(f"multipart/form-data; boundary={boundary}", body, 10)
        assert found == [("leaf (1).jpg", b"\xff\xd8\r\n"), ("b.jpg", b"")]
    request = httpx2.Request(
        "POST", "http://localhost/", files=[("photo", ("leaf.jpg", b"data", "image/jpeg"))]
    )
    assert plain_files(request.headers["content-type"], request.read(), 10) == [("leaf.jpg", b"data")]


def test_more_files_than_may_be_are_left_to_the_framework() -> None:
    body = form(*[file(b"leaf.jpg", b"data")] * 3)
    assert plain_files(TYPE, body, 3) == [("leaf.jpg", b"data")] * 3
    assert plain_files(TYPE, body, 2) is None
