"""Requests as bytes: the form of photographs, the query, and that the same request is the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.contract_server import Asked, form_parts
from tests.fakes.tiny_bundle import RED, coloured

from leafsight.client import calls
from leafsight.client.photographs import as_png, media_type
from leafsight.client.requests import IDEMPOTENCY_KEY, Part, encoded_query, multipart
from leafsight.errors import UsageError
from leafsight.images import decode


@given(
    photos=st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=200)), min_size=1, max_size=5),
)
def test_what_goes_into_a_form_comes_out_of_it(photos: list[tuple[str, bytes]]) -> None:
    body = multipart([Part(name, data) for name, data in photos], "leafsight-abc")
    asked = Asked("POST", "/", {}, {"content-type": "multipart/form-data; boundary=leafsight-abc"}, body)
    assert [data for _, data in form_parts(asked)] == [data for _, data in photos]


def test_a_name_cannot_add_headers() -> None:
    body = multipart([Part('a"\r\nX-Admin: yes\r\n\r\n.jpg', b"x")], "b")
    head = body.partition(b"\r\n\r\n")[0]
    assert head.count(b"\r\n") == 2
    assert b'filename="a%22%0D%0AX-Admin: yes%0D%0A%0D%0A.jpg"' in head


def test_a_photograph_with_the_separator_inside_is_refused() -> None:
    with pytest.raises(UsageError, match="separator"):
        multipart([Part("a", b"--leafsight-abc--")], "leafsight-abc")


def test_the_same_question_is_the_same_bytes_so_that_a_server_knows_it_again() -> None:
    first, second = (calls.predict([coloured(RED)], "0" * 32, crop="apple").request for _ in range(2))
    assert first == second
    assert first.headers[IDEMPOTENCY_KEY] == "0" * 32
    assert calls.predict([coloured(RED)], "1" * 32).request.body != first.body


def test_the_query_says_what_was_asked_and_nothing_else() -> None:
    assert encoded_query({"a": None, "b": True, "c": False, "d": 3, "e": "ä &=/"}) == (
        "b=true&c=false&d=3&e=%C3%A4+%26%3D%2F"
    )
    assert calls.predict([b"x"], "t").request.target == "/v1/predict"


def test_an_array_travels_without_loss() -> None:
    rgb = coloured(RED)
    assert np.array_equal(decode(as_png(rgb)), rgb)
    assert np.array_equal(decode(as_png(rgb[::2, ::-1])), rgb[::2, ::-1])
    assert as_png(np.zeros((0, 4, 3), np.uint8)) == b""


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"), (b"PK\x03\x04", "application/zip"),
        (bytes(257) + b"ustar", "application/x-tar"),
        (b"\x1f\x8b\x08", "application/gzip"), (b"", "application/octet-stream"),
    ],
)  # fmt: skip
def test_media_types_by_the_first_bytes(head: bytes, kind: str) -> None:
    assert media_type(head) == kind


def test_a_path_is_sent_by_its_last_name_only(tmp_path: Path) -> None:
    (tmp_path / "leaf.png").write_bytes(as_png(coloured(RED)))
    body = calls.predict([tmp_path / "leaf.png"], "t").request.body
    assert isinstance(body, bytes)
    assert b'filename="leaf.png"' in body
    assert str(tmp_path).encode() not in body


def test_a_heatmap_of_another_kind_is_refused() -> None:
    with pytest.raises(Exception, match=r"svg|violat"):
        calls.predict([b"x"], "t", heatmap="svg")  # type: ignore[arg-type]
