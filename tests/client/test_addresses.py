"""Which addresses are asked, and where a key may travel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.client import AsyncClient, Client
from leafsight.client.addresses import server_address
from leafsight.errors import UsageError

SECRET = "ls_1_secret"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://leaf.example/", "https://leaf.example"),
        ("https://leaf.example/a/b//", "https://leaf.example/a/b"),
        ("HTTPS://Leaf.Example", "https://Leaf.Example"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_an_address_without_its_last_slash(url: str, base: str) -> None:
    assert server_address(url).base == base


@pytest.mark.parametrize(
    "url",
    [
        "", "leaf.example", "//leaf.example", "ftp://leaf.example", "file:///etc/passwd", "https://", "http://:80",
        "https://leaf.example:99999", "https://leaf.example:x", "https://leaf.example?a=b", "https://[::1",
        "https://leaf.example/#x", "https://leaf.example/?", "https://leaf example", "https://leaf.example\n",
        "https://leaf.example\\@evil.example", "https://leaf.example:0", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        server_address(url, SECRET)
    assert "http" in caught.value.hint
    assert SECRET not in caught.value.message


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    for url in ("https://me:hunter2@leaf.example", "https://hunter2@leaf.example"):
        with pytest.raises(UsageError) as caught:
            server_address(url)
        assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"
        assert "--key" in caught.value.hint


@pytest.mark.parametrize(
    "host",
    [
        "leaf.example",
        "192.168.1.7",
        "10.0.0.1",
        "localhost.evil.example",
        "127.1.evil",
        "[2001:db8::1]",
        "0.0.0.0",
    ],
)
def test_a_key_does_not_travel_on_an_open_line_to_another_machine(host: str) -> None:
    with pytest.raises(UsageError) as caught:
        server_address(f"http://{host}", SECRET)
    assert "https" in caught.value.hint
    assert "allow_plain" in caught.value.hint
    assert server_address(f"http://{host}", SECRET, allow_plain=True).key == SECRET
    assert server_address(f"https://{host}", SECRET).key == SECRET
    assert server_address(f"http://{host}").key is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_this_machine_may_be_asked_with_a_key(host: str) -> None:
    found = server_address(f"http://{host}:8000", SECRET)
    assert (found.key, found.is_loopback) == (SECRET, True)


@pytest.mark.parametrize("key", ["two words", "a\r\nX-Admin: yes", "ä", "x" * 501, "\x7f"])
def test_a_key_that_would_break_the_header(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        server_address("https://leaf.example", key)
    assert key not in caught.value.message


def test_an_empty_key_is_no_key() -> None:
    assert server_address("https://leaf.example", "").key is None


def test_the_key_is_in_no_repr() -> None:
    assert SECRET not in repr(server_address("https://leaf.example", SECRET))
    with Client("https://leaf.example", key=SECRET) as client:
        assert SECRET not in repr(client)
    with pytest.raises(UsageError):
        AsyncClient("http://leaf.example", key=SECRET)


@given(text=st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    for url in (text, "https://" + text, "http://127.0.0.1" + text):
        try:
            found = server_address(url, SECRET)
        except UsageError:
            continue
        assert found.base.startswith(("https://", "http://"))
        assert found.is_encrypted or found.is_loopback
