"""What waits is judged again when a class was declared or another model serves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient
from tests.fakes.remembered import tiny_memory
from tests.fakes.tiny_bundle import write_tiny_bundle
from tests.service.contributed import add_contribution, parts_of

from leafsight.service.clerk import KINDS, Clerk
from leafsight.service.recheck_job import KIND, recheck_where_another_serves

OKRA = "Okra___Leaf_curl"
NEW = {"kind": "new_class", "said": "The present model does not know it.", "blocks": True}


@pytest.fixture
def remembering(start: Callable[..., TestClient], tmp_path: Path) -> TestClient:
    """A service whose model remembers its photographs."""
    model = write_tiny_bundle(tmp_path / "remembering.leafsight", memory=tiny_memory(per_split=4))
    return start(model=model)


def seen(client: TestClient) -> str:
    """A contribution of a new class, as the model of the service has seen it."""
    memory = tiny_memory(per_split=4)
    return add_contribution(
        client, label=OKRA, class_name=OKRA, findings=[NEW], look_hash=1,
        embedding=np.asarray(memory.embedding[0], np.float16), embedded_by=memory.backbone,
    )  # fmt: skip


def clerk_works(client: TestClient) -> dict[str, Any] | None:
    parts = parts_of(client)
    if not Clerk(parts.state, parts.blobs, parts.options, lambda: False, KINDS).work_one():
        return None
    done = parts.state.jobs.page(kind=KIND).records[0]
    assert done.state == "done", done.error
    return dict(done.result or {})


def kinds_of(client: TestClient, one: str) -> set[str]:
    return {found["kind"] for found in client.get(f"/v1/contributions/{one}").json()["findings"]}


def test_a_class_that_was_declared_is_new_no_more(remembering: TestClient) -> None:
    one = seen(remembering)
    assert "new_class" in kinds_of(remembering, one)
    assert remembering.post("/v1/classes/declared", json={"name": OKRA}).status_code == 201
    assert clerk_works(remembering) == {"judged": 1, "changed": 1, "unseen": 0}
    assert "new_class" not in kinds_of(remembering, one)
    assert remembering.delete(f"/v1/classes/declared/{OKRA}").status_code == 200
    assert clerk_works(remembering) == {"judged": 1, "changed": 1, "unseen": 0}
    assert "new_class" in kinds_of(remembering, one)
    assert clerk_works(remembering) is None


def test_it_waits_once_however_often_it_was_asked_for(remembering: TestClient) -> None:
    for name in (OKRA, "okra/rust", "okra/wilt"):
        remembering.post("/v1/classes/declared", json={"name": name})
    assert len(parts_of(remembering).state.jobs.page(kind=KIND).records) == 1


def test_another_model_judges_again_what_waits(remembering: TestClient) -> None:
    parts = parts_of(remembering)
    assert recheck_where_another_serves(parts.state, "a" * 64)
    assert not recheck_where_another_serves(parts.state, "a" * 64)
    assert clerk_works(remembering) is not None
    assert recheck_where_another_serves(parts.state, "b" * 64)
    assert clerk_works(remembering) is not None
