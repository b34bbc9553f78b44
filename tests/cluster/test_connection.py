"""Into a cluster, or a clear word why not; never a wait without an end."""

from __future__ import annotations

import socket
import time

import pytest

from leafsight.cluster import ClusterOptions, Needs, check_machines, connected
from leafsight.errors import ClusterError


def test_a_cluster_is_joined_and_its_machines_are_asked(cluster_address: str) -> None:
    with connected(ClusterOptions(address=cluster_address)) as cluster:
        assert (cluster.machines, cluster.cpus, cluster.is_ours) == (1, 2, False)
        assert [fact.missing for fact in check_machines(Needs(modules=(("torch", "train"),)))] == [()]


def test_nothing_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(ClusterError, match="no cluster answers") as caught,
            connected(ClusterOptions(address=address)),
        ):
            pytest.fail("joined what is not there")
    assert "leafsight cluster up" in caught.value.hint


def test_something_else_answers() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        began_s = time.monotonic()
        with (
            pytest.raises(ClusterError, match="no head of a Ray cluster"),
            connected(ClusterOptions(address=address, connect_s=1)),
        ):
            pytest.fail("joined what is no cluster")
        assert time.monotonic() - began_s < 60
