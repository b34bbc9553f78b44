"""A whole service in this process, with a real database, a real registry and a tiny model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from leafsight.service import ServiceOptions, create_app, ticking

HERE = ("127.0.0.1", 50_000)


def options_in(folder: Path, **changes: Any) -> ServiceOptions:
    """Everything below one folder."""
    values: dict[str, Any] = {
        "registry_dir": folder / "registry",
        "database_url": f"sqlite:///{folder / 'leafsight.db'}",
        "blob_url": str(folder / "blobs"),
        "watch_s": 0.02,
        **changes,
    }
    return ServiceOptions(**values)


@pytest.fixture
def start(
    tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., TestClient]]:
    """Starts services that end with the test; options may be changed.

    They look after nothing by themselves: on a busy machine that would be in the middle of a test.
    """
    monkeypatch.setattr(ticking, "FIRST_S", 3600.0)
    running: list[TestClient] = []

    def begin(*, client: tuple[str, int] = HERE, **changes: Any) -> TestClient:
        app = create_app(options_in(tmp_path, **{"model": colour_model, **changes}))
        one = TestClient(app, base_url="http://localhost:8000", client=client, raise_server_exceptions=False)
        one.__enter__()
        running.append(one)
        return one

    yield begin
    for one in reversed(running):
        one.__exit__(None, None, None)


@pytest.fixture
def service(start: Callable[..., TestClient]) -> TestClient:
    """A service with the tiny model."""
    return start()
