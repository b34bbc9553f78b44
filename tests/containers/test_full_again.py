"""Profile full once more: by Docker Compose, and with certificates. Each test brings up its own."""

from __future__ import annotations

import json
from pathlib import Path

from tests.containers.composing import WITHOUT_GRAFANA, set_up
from tests.containers.engine import call, inspected, logs, until
from tests.containers.test_full import CHOSEN, all_ready
from tests.containers.test_serve_image import photographs  # noqa: F401


def test_docker_compose_brings_up_the_same(tmp_path: Path, photographs: list[bytes]) -> None:  # noqa: F811
    with set_up("full", tmp_path, tool="docker-compose", **CHOSEN) as one:
        one.up(*WITHOUT_GRAFANA)
        until(lambda: all_ready(one, 2))
        web = one.web(key=one.first_key("setup"))
        assert web.predict(photographs[0]).status == 200
        states = [json.loads(line) for line in one.compose("ps", "--all", "--format", "json").splitlines()]
        ended = {state["Service"]: state["ExitCode"] for state in states if state["State"] == "exited"}
        assert ended == {"setup": 0, "bucket": 0, "certificate": 0}


def test_a_certificate_that_is_given_is_used(tmp_path: Path) -> None:
    """And one that does not fit its key is not."""
    given = tmp_path / "given"
    given.mkdir()
    with set_up("full", tmp_path, LEAFSIGHT_TLS_DIR=str(given), LEAFSIGHT_NAME="leaves.example") as one:
        one.up("certificate")
        [name] = one.containers("certificate", also_ended=True)
        until(lambda: inspected(name)["State"]["Status"] == "exited")
        assert "for leaves.example was made" in logs(name)
        image = one.environment["LEAFSIGHT_DATABASE_IMAGE"]
        words = (
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=own",
        )
        call(
            "run", "--rm", "--user", "0", "--volume", f"{given}:/given", "--entrypoint", "openssl", image,
            *words, "-keyout", "/given/tls.key", "-out", "/given/tls.crt",
        )  # fmt: skip
        call("start", "--attach", name)
        assert "the certificate of LEAFSIGHT_TLS_DIR is used" in logs(name)
        (given / "tls.key").write_text("no key")
        assert call("start", "--attach", name, check=False).returncode == 1
        assert "do not belong together" in logs(name)
