"""The admin side on its own port, with a real process: figures and lists there and nowhere else."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.pictures import picture_bytes
from tests.fakes.ports import free_port
from tests.service.asking import ask_once
from tests.service.running import RunningService, running_service

from leafsight.service.admin_side import MARK, admin_side, is_admin_side
from leafsight.state import open_state

pytestmark = pytest.mark.slow
ADMIN_ONLY = ("/metrics", "/v1/insight", "/v1/load", "/v1/jobs", "/v1/predictions")
NOBODY = "0" * 32


@dataclass
class Sides:
    """A running service with both ports."""

    service: RunningService
    admin_port: int

    def ask(
        self, side: str, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """The answer of one side: "public" or "admin"."""
        port = self.admin_port if side == "admin" else self.service.port
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        status, answer, raw = ask_once(port, method, path, body, given)
        is_json = "json" in answer.get("content-type", "")
        return status, json.loads(raw) if is_json else raw


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory, colour_model: Path) -> Iterator[Sides]:
    """Two workers, no keys."""
    port, folder = free_port(), tmp_path_factory.mktemp("admin")
    with running_service(folder, colour_model, "--admin-port", str(port), "--workers", "2") as service:
        yield Sides(service, port)


def test_the_admin_side_is_said_before_ready(sides: Sides) -> None:
    """Whoever waits for "ready" has read everything that is said at the start."""
    (ready,) = [number for number, line in enumerate(sides.service.said) if "ready on http://" in line]
    (admin,) = [number for number, line in enumerate(sides.service.said) if "the admin side is on" in line]
    assert f"http://127.0.0.1:{sides.admin_port}" in sides.service.said[admin]
    assert admin < ready


@pytest.mark.parametrize("path", ADMIN_ONLY)
def test_figures_and_lists_are_on_the_admin_side_only(sides: Sides, path: str) -> None:
    status, said = sides.ask("public", "GET", path)
    assert (status, said["type"].rpartition("/")[2]) == (404, "not-found")
    assert sides.ask("admin", "GET", path)[0] == 200


def test_jobs_are_cancelled_on_the_admin_side_only(sides: Sides) -> None:
    status, said = sides.ask("public", "DELETE", f"/v1/jobs/{NOBODY}")
    assert (status, "admin side" in said["hint"]) == (404, True)
    status, said = sides.ask("admin", "DELETE", f"/v1/jobs/{NOBODY}")
    assert (status, "there is no job" in said["detail"]) == (404, True)


@pytest.mark.parametrize("side", ["public", "admin"])
def test_both_sides_diagnose_and_show_the_page(sides: Sides, side: str) -> None:
    status, said = sides.ask(side, "POST", "/v1/predict", picture_bytes(), content_type="image/jpeg")
    assert (status, said["predictions"][0]["recorded"]) == (200, True)
    assert sides.ask(side, "GET", "/readyz")[0] == 200
    assert sides.ask(side, "GET", "/")[0] == 200


def test_nothing_that_is_sent_makes_a_request_one_of_the_admin_side(sides: Sides) -> None:
    for headers in (
        {"host": f"localhost:{sides.admin_port}"},
        {MARK: "true"},
        {"x_leafsight_admin_side": "1"},
    ):
        assert sides.ask("public", "GET", "/v1/load", **headers)[0] == 404


def test_all_workers_answer_on_the_admin_side(sides: Sides) -> None:
    """And all count together."""
    loads = [sides.ask("admin", "GET", "/v1/load")[1] for _ in range(6)]
    assert len(loads[-1]["processes"]) == 2
    assert all(one["memory_bytes"] > 2**20 for one in loads[-1]["processes"])


def test_keys_are_wanted_there_too(tmp_path: Path, colour_model: Path) -> None:
    with open_state(f"sqlite:///{tmp_path / 'leafsight.db'}") as state:
        keys = {scope: state.keys.make(scope, [scope])[1] for scope in ("predict", "admin")}
    port = free_port()
    with running_service(tmp_path, colour_model, "--admin-port", str(port)) as service:
        here = Sides(service, port)
        bearer = {name: f"Bearer {key}" for name, key in keys.items()}
        assert here.ask("admin", "GET", "/v1/load")[0] == 401
        assert here.ask("admin", "GET", "/v1/load", authorization=bearer["predict"])[0] == 403
        assert here.ask("admin", "GET", "/v1/load", authorization=bearer["admin"])[0] == 200
        assert here.ask("public", "GET", "/v1/load", authorization=bearer["admin"])[0] == 404
        assert here.ask("public", "GET", "/v1/conditions", authorization=bearer["admin"])[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_keys_the_admin_side_is_for_this_computer_only(
    tmp_path: Path, colour_model: Path, host: str
) -> None:
    with (
        pytest.raises(AssertionError, match="only this computer may be served"),
        running_service(tmp_path, colour_model, "--admin-port", str(free_port()), "--admin-host", host),
    ):
        pass


def test_a_taken_admin_port_is_named(tmp_path: Path, colour_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(AssertionError, match="choose another with --admin-port"),
            running_service(tmp_path, colour_model, "--admin-port", str(port)),
        ):
            pass


def test_only_the_wrapper_marks() -> None:
    seen: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(is_admin_side(scope))

    async def both() -> None:
        await app({}, None, None)
        await admin_side(app)({}, None, None)  # type: ignore[arg-type]

    asyncio.run(both())
    assert seen == [False, True]
