"""A head that goes away is missed after a while, not at once and not for ever."""

from __future__ import annotations

import socket

import pytest

from leafsight.cluster import head
from leafsight.cluster.head import GONE_S, HeadWatch
from leafsight.errors import ClusterError


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(head, "time", clock)
    return clock


def test_a_head_that_is_gone_for_long_is_an_error(clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        watch = HeadWatch(f"127.0.0.1:{port}")
        for _ in range(10):
            clock.now_s += 6
            watch.look()
    for _ in range(int(GONE_S) // 6):
        clock.now_s += 6
        watch.look()
    with socket.create_server(("127.0.0.1", port)):  # it is back in time
        clock.now_s += 6
        watch.look()
    for _ in range(int(GONE_S) // 6):
        clock.now_s += 6
        watch.look()
    clock.now_s += 6
    with pytest.raises(ClusterError, match=f"the head of the cluster 127.0.0.1:{port} is gone"):
        watch.look()


def test_who_slept_asks_before_it_judges(clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        watch = HeadWatch(f"127.0.0.1:{listening.getsockname()[1]}")
    clock.now_s += 3600
    watch.look()
    for _ in range(int(GONE_S) // 6):
        clock.now_s += 6
        watch.look()
    clock.now_s += 6
    with pytest.raises(ClusterError, match="is gone"):
        watch.look()
