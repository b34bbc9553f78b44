"""A bucket of somebody else: names of any kind, read and never written; and errors that fit the address."""

from __future__ import annotations

import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from tests.state.moto_server import CREDENTIALS, s3_url, shared_moto

from leafsight.errors import ConfigError, NotFoundError, StateError
from leafsight.state import open_bucket_files

NAMES = {"Apple___scab/Image (1).JPG": b"one", "Apple___scab/é ü.jpg": b"two!", "top.tar": b"x" * 100}


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    prefix = f"files-{request.node.name}"
    for name, data in NAMES.items():
        put(shared_moto(), f"leaves/{prefix}/{name}", data)
    return s3_url(shared_moto(), prefix)


def put(endpoint: str, path: str, data: bytes) -> None:
    """As a stranger would; without a type of its own, urllib says that it sends a form."""
    address = f"{endpoint}/{urllib.parse.quote(path)}"
    headers = {"Content-Type": "application/octet-stream"}
    request = urllib.request.Request(address, data=data, method="PUT", headers=headers)
    urllib.request.urlopen(request, timeout=5).close()


def test_names_of_any_kind_are_listed_and_read(url: str) -> None:
    files = open_bucket_files(url)
    files.check()
    assert dict(files.list()) == {name: len(data) for name, data in NAMES.items()}
    assert {name: files.get(name, max_bytes=1000) for name in NAMES} == NAMES
    assert files.size_bytes("top.tar") == 100


def test_of_a_long_file_no_more_than_one_byte_too_many(url: str) -> None:
    assert open_bucket_files(url).get("top.tar", max_bytes=10) == b"x" * 11


def test_a_file_comes_in_pieces(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("leafsight.state.bucket_files.FETCH_BYTES", 33)
    open_bucket_files(url).fetch("top.tar", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == NAMES["top.tar"]


def test_what_is_not_there(url: str) -> None:
    files = open_bucket_files(url)
    for ask in (lambda: files.get("no.jpg", max_bytes=9), lambda: files.size_bytes("no.jpg")):
        with pytest.raises(NotFoundError, match=r"no\.jpg"):
            ask()
    with pytest.raises(StateError, match="no bucket") as caught:
        list(open_bucket_files(s3_url(shared_moto(), "x", bucket="nowhere")).list())
    assert "LEAFSIGHT" not in caught.value.hint


def test_an_address_that_is_none() -> None:
    with pytest.raises(ConfigError) as caught:
        open_bucket_files("s3://a b/c")
    assert "LEAFSIGHT" not in caught.value.hint
