"""Alerts on their way: taken once, tried again, never sent anywhere else."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from tests.monitoring.hook import Hook, listening

from leafsight.errors import RemoteError, UsageError
from leafsight.monitoring import alert, alerts_now, check_alert_url, send_alerts
from leafsight.monitoring.sending import FIRST_AGAIN_MS, LAST_AGAIN_MS, post_json
from leafsight.state import State

NOW_MS = 1_800_000_000_000


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as one:
        yield one


def told(state: State, event: str = "1") -> None:
    alert(state, "promoted", "B serves now.", event=event, now_ms=NOW_MS, hint="look", details={"change": 7})


def test_what_is_sent(state: State, hook: Hook) -> None:
    told(state)
    assert send_alerts(state, hook.url, now_ms=NOW_MS + 5) == 1
    (body,) = hook.taken
    assert body.keys() == {"id", "kind", "said", "hint", "at", "details"}
    assert (body["kind"], body["at"], body["details"]) == ("promoted", NOW_MS, {"change": 7})
    assert send_alerts(state, hook.url, now_ms=NOW_MS + 10**9) == 0
    assert alerts_now(state)["newest"][0]["sent_ms"] == NOW_MS + 5
    told(state)  # the same event again
    assert (send_alerts(state, hook.url, now_ms=NOW_MS + 10**9), len(hook.taken)) == (0, 1)


def test_it_is_tried_again_later_and_later(state: State, hook: Hook) -> None:
    told(state)
    hook.statuses = [500] * 9
    now_ms, waits = NOW_MS, []
    while not hook.taken:
        began = now_ms
        send_alerts(state, hook.url, now_ms=now_ms)
        left = len(hook.statuses)
        while len(hook.statuses) == left and not hook.taken:
            now_ms += FIRST_AGAIN_MS
            send_alerts(state, hook.url, now_ms=now_ms)
        waits.append(now_ms - began)
    assert (
        waits[:3] == [FIRST_AGAIN_MS, 2 * FIRST_AGAIN_MS, 4 * FIRST_AGAIN_MS]
        or waits[0] <= 2 * FIRST_AGAIN_MS
    )
    assert max(waits) <= LAST_AGAIN_MS
    assert len(hook.taken) == 1


def test_nobody_there_and_then_a_restart(state: State, hook: Hook) -> None:
    """Another process, which has only the database, sends it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
    told(state)
    assert send_alerts(state, nobody, now_ms=NOW_MS) == 0
    assert alerts_now(state)["waiting"] == 1
    assert send_alerts(state, hook.url, now_ms=NOW_MS + FIRST_AGAIN_MS) == 1


def test_killed_after_sending_it_is_sent_again_with_the_same_id(state: State, hook: Hook) -> None:
    told(state)

    def killed(url: str, body: bytes) -> None:
        post_json(url, body)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send_alerts(state, hook.url, now_ms=NOW_MS, post=killed)
    assert send_alerts(state, hook.url, now_ms=NOW_MS + FIRST_AGAIN_MS) == 1
    assert len({body["id"] for body in hook.taken}) == 1
    assert len(hook.taken) == 2


def test_another_process_does_not_send_what_is_on_its_way(state: State, hook: Hook) -> None:
    told(state)

    def both(url: str, body: bytes) -> None:
        assert send_alerts(state, hook.url, now_ms=NOW_MS) == 0
        post_json(url, body)

    assert send_alerts(state, hook.url, now_ms=NOW_MS, post=both) == 1
    assert len(hook.taken) == 1


def test_no_redirect_is_followed(state: State, hook: Hook) -> None:
    told(state)
    with listening() as elsewhere:
        hook.statuses, hook.location = [302, 307], elsewhere.url
        for wait in (0, FIRST_AGAIN_MS):
            assert send_alerts(state, hook.url, now_ms=NOW_MS + wait) == 0
        assert elsewhere.taken == []
    assert alerts_now(state)["waiting"] == 1


def test_without_an_address_alerts_are_only_shown(state: State, hook: Hook) -> None:
    told(state)
    assert send_alerts(state, "", now_ms=NOW_MS) == 0
    found = alerts_now(state)
    assert (found["waiting"], found["newest"][0]["sent_ms"]) == (0, None)
    assert send_alerts(state, hook.url, now_ms=NOW_MS) == 0  # what nobody was to hear of is not sent later


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "file:///etc/passwd", "host/hook", "http://", "http://a:99999/", "javascript:1"]
)
def test_addresses_that_cannot_be(url: str) -> None:
    with pytest.raises(UsageError, match="alerts cannot be sent to"):
        check_alert_url(url)
    with pytest.raises(UsageError):
        post_json(url, b"{}")


@pytest.mark.parametrize("url", ["", "http://localhost:9/x", "https://hooks.example.org/a?b=c"])
def test_addresses_that_can(url: str) -> None:
    assert check_alert_url(url) == url


def test_an_answer_that_is_no_http(state: State) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"hello\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(RemoteError, match="the alert was not taken"):
            post_json(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}")
        thread.join()


def test_an_answer_that_never_ends_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    monkeypatch.setattr("leafsight.monitoring.sending.TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def dribble() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.05):
                    connection.sendall(b"X-Slow: 1\r\n")

        thread = threading.Thread(target=dribble)
        thread.start()
        with pytest.raises(RemoteError, match="no whole answer in time"):
            post_json(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}")
        stop.set()
        thread.join()
