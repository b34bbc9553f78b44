"""Of several workers that failed, the one is told that made the others fail."""

from __future__ import annotations

import pytest

pytest.importorskip("ray", reason="needs the extra cluster")

from ray.exceptions import OutOfMemoryError
from ray.train import ControllerError, WorkerGroupError
from ray.train.v2._internal.exceptions import WorkerGroupStartupTimeoutError

from leafsight.cluster.training_faults import lost


def test_the_cause_is_told_and_not_what_followed_from_it() -> None:
    collateral = RuntimeError("Connection closed by peer [10.0.0.5]:1234")
    told = lost(
        WorkerGroupError(
            "", {0: collateral, 1: RuntimeError("CUDA error: the device is gone"), 2: collateral}
        )
    )
    assert "worker 2: CUDA error: the device is gone" in told.message
    assert "goes on from the last checkpoint" in told.hint


def test_out_of_memory_comes_first_with_advice() -> None:
    told = lost(WorkerGroupError("", {0: ValueError("odd"), 1: OutOfMemoryError("killed: memory")}))
    assert "worker 2:" in told.message
    assert told.hint.startswith("use fewer workers on each machine")


def test_no_room_is_said_without_the_words_of_ray() -> None:
    told = lost(ControllerError(WorkerGroupStartupTimeoutError(4)))
    assert "no room for the workers in time" in told.message
    assert "--least-workers" in told.hint


def test_anything_else_is_told_as_it_came() -> None:
    assert lost(ConnectionError("gone")).message == "the cluster was lost: gone"
