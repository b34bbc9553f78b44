"""Profile small: one container, and all that it remembers in a volume."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.containers.asking import Web
from tests.containers.composing import SetUp, set_up
from tests.containers.engine import inspected, logs, until
from tests.containers.test_serve_image import photographs  # noqa: F401


@pytest.fixture(scope="module", params=["podman-compose", "docker-compose"])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    with set_up("small", tmp_path_factory.mktemp("small"), tool=request.param) as one:
        one.up()
        yield one


def ready(one: SetUp) -> Web:
    web = one.web("LEAFSIGHT_PORT")
    until(lambda: web.ask("/readyz").status == 200)
    return web


def test_from_the_first_key_to_a_correction_that_outlives_the_container(
    small: SetUp,
    photographs: list[bytes],  # noqa: F811
) -> None:
    ready(small)
    web = small.web("LEAFSIGHT_PORT", small.first_key("leafsight"))
    said = web.predict(photographs[0])
    assert said.status == 200, said.body
    one = said.json["predictions"][0]["id"]
    assert web.send_json(f"/v1/predictions/{one}/correction", {"right": False, "note": "no"}).status in (
        200,
        201,
    )
    small.down()
    assert small.containers(also_ended=True) == []
    small.up()
    ready(small)
    again = web.ask(f"/v1/predictions/{one}")
    assert again.status == 200, again.body
    assert [found["note"] for found in again.json["corrections"]] == ["no"]
    assert "first key" not in logs(small.containers("leafsight")[0])


def test_it_is_closed_to_all_but_one_port_of_this_machine(small: SetUp) -> None:
    ready(small)
    [name] = small.containers("leafsight")
    about = inspected(name)
    host = about["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert "no-new-privileges" in json.dumps(host["SecurityOpt"])
    assert not about.get("EffectiveCaps")
    published = [one for ports in host["PortBindings"].values() for one in ports or ()]
    assert [one["HostIp"] for one in published] == ["127.0.0.1"]
    assert host["Memory"] == 2 * 1024**3
    assert host["PidsLimit"] == 512
    assert host["RestartPolicy"]["Name"] == "unless-stopped"


def test_secrets_are_made_once(tmp_path: Path) -> None:
    with set_up("small", tmp_path):
        before = {path.name: path.read_bytes() for path in (tmp_path / "secrets").iterdir()}
    with set_up("small", tmp_path):
        assert {path.name: path.read_bytes() for path in (tmp_path / "secrets").iterdir()} == before
