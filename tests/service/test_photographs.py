"""Photographs out of requests: large ones are read beside the work of others, and read the same."""

from __future__ import annotations

import base64
import json
import threading
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes

from leafsight.errors import UsageError
from leafsight.service import photographs
from leafsight.service.photographs import LARGE_HASH_BYTES, LARGE_JSON_BYTES, _decoded, _of_json


def body_of(data: bytes) -> bytes:
    return json.dumps({"photos": [{"base64": base64.b64encode(data).decode()}]}).encode()


@pytest.mark.parametrize("large", [False, True])
def test_large_bodies_are_decoded_and_hashed_beside_the_event_loop(
    service: TestClient, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    threads: dict[str, str] = {}

    def noting(name: str, work: Any) -> Any:
        def noted(*words: Any) -> Any:
            threads[name] = threading.current_thread().name
            return work(*words)

        return noted

    for name in ("_of_json", "_hashed"):
        monkeypatch.setattr(photographs, name, noting(name, getattr(photographs, name)))
    monkeypatch.setattr(service.app.state.parts.recorder, "keep", _kept)  # type: ignore[attr-defined]
    # What follows the picture is not looked at.
    data = picture_bytes() + bytes(max(LARGE_JSON_BYTES, LARGE_HASH_BYTES) if large else 0)
    said = service.post("/v1/predict", content=body_of(data), headers={"content-type": "application/json"})
    assert said.json()["predictions"][0]["verdict"] == "diagnosis"
    on_the_loop = {name: not thread.startswith("asyncio_") for name, thread in threads.items()}
    assert on_the_loop == {"_of_json": not large, "_hashed": not large}


async def _kept(records: Any) -> bool:
    (record,) = records
    assert len(record.photo_sha256) == len(sha256(b"").hexdigest())
    return True


@given(data=st.binary(max_size=200), slice_characters=st.sampled_from([4, 8, 64]))
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_slices_of_base64_make_the_whole(data: bytes, slice_characters: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photographs, "SLICE_CHARACTERS", slice_characters)
        assert _decoded(base64.b64encode(data).decode()) == data


@pytest.mark.parametrize(
    "text", ["AA==AAAA", "AAA=AAAA", "AAAA=", "AAA", "AA A", "AAAA\n", "ÄAAA", "====", "A"]
)
def test_what_is_no_base64_is_none_in_slices_either(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(photographs, "SLICE_CHARACTERS", 4)
    with pytest.raises(UsageError, match="not base64"):
        _of_json(json.dumps({"photos": [{"base64": text}]}).encode(), 1)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"photos": [}', b'"\\ud800"'])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(UsageError, match="JSON"):
        _of_json(body, 1)
