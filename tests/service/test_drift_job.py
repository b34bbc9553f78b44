"""The look for drift is the clerk's, when there is something new to look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.fakes.remembered import tiny_memory
from tests.fakes.tiny_bundle import write_tiny_bundle
from tests.service.contributed import parts_of

from leafsight.monitoring import drift_now
from leafsight.service.clerk import KINDS, Clerk
from leafsight.service.drift_job import KIND, ONE_ID, queue_look


@pytest.fixture
def remembering(start: Callable[..., TestClient], tmp_path: Path) -> TestClient:
    model = write_tiny_bundle(tmp_path / "remembering.leafsight", memory=tiny_memory(per_split=4))
    return start(model=model)


def look(client: TestClient) -> bool:
    """Ask for a look and let the clerk do it; whether there was one."""
    parts = parts_of(client)
    if not queue_look(parts.state, parts.model.now.id):
        return False
    assert not queue_look(parts.state, parts.model.now.id), "it waits already"
    assert Clerk(parts.state, parts.blobs, parts.options, lambda: False, KINDS).work_one()
    done = parts.state.jobs.get(ONE_ID)
    assert done is not None
    assert (done.kind, done.state) == (KIND, "done"), done.error
    return True


def test_it_looks_once_and_again_when_photographs_came(remembering: TestClient) -> None:
    state = parts_of(remembering).state
    assert look(remembering)
    first = drift_now(state)
    assert first["model"] == parts_of(remembering).model.now.id
    assert not look(remembering), "nothing came since"
    answer = remembering.post("/v1/predict", content=picture_bytes(), headers={"content-type": "image/jpeg"})
    assert answer.status_code == 200
    assert look(remembering)
    assert drift_now(state)["at_ms"] >= first["at_ms"]
    assert len(state.jobs.page(kind=KIND).records) == 1, "one job, however often"


def test_after_the_clock_went_back_it_looks_again(remembering: TestClient) -> None:
    state = parts_of(remembering).state
    assert look(remembering)
    ahead = {**drift_now(state), "at_ms": state.now() + 3_600_000}
    state.marks.put("drift", ahead)
    remembering.post("/v1/predict", content=picture_bytes(), headers={"content-type": "image/jpeg"})
    assert look(remembering)
