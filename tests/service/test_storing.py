"""A store that does not answer costs one request its time, not all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes

from leafsight.errors import StateBusyError, StateError
from leafsight.service.storing import PAUSE_S, SLOW_S, StorePause


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize(("error", "paused"), [(StateBusyError("x"), True), (StateError("x"), False)])
def test_only_a_store_without_an_answer_is_left_alone_and_for_a_while_only(
    error: Exception, paused: bool
) -> None:
    clock = Clock()
    pause = StorePause(clock)
    assert not pause.is_on
    with pytest.raises(StateError), pause.trying():
        raise error
    assert pause.is_on == paused
    clock.now_s += PAUSE_S
    assert not pause.is_on


def test_nobody_queues_behind_a_photograph_that_takes_long() -> None:
    clock = Clock()
    pause = StorePause(clock)
    with pause.trying():
        assert not pause.is_on
        clock.now_s += 2 * SLOW_S
        assert pause.is_on
    assert not pause.is_on


def test_the_next_request_does_not_ask_a_store_that_gave_no_answer(
    start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start(keep_photos="always")
    parts, asked = service.app.state.parts, []  # type: ignore[attr-defined]

    def silence(name: str, data: bytes) -> None:
        asked.append(name)
        raise StateBusyError("the bucket does not answer")

    monkeypatch.setattr(parts.blobs, "put", silence)
    for _ in range(3):
        answer = service.post("/v1/predict", content=picture_bytes(), headers={"content-type": "image/jpeg"})
        (one,) = answer.json()["predictions"]
        assert (answer.status_code, one["recorded"], one["stored"]) == (200, True, False)
    assert len(asked) == 1
