"""The load study on real containers: limits hold, both sides are measured, nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.containers.engine import SERVE
from tests.loadtest.making import write_photographs

from leafsight.loadtest import (
    ContainerEngine,
    ContainerOptions,
    Study,
    StudyFolder,
    StudyOptions,
    write_report,
)
from leafsight.loadtest.container_commands import LABEL, Commands

pytestmark = [pytest.mark.containers, pytest.mark.slow]
ENTRY = "from leafsight.cli import main; main()"
OPTIONS = ContainerOptions(
    image=SERVE, environment={"LEAFSIGHT_JOBS": "none", "LEAFSIGHT_DEADLINE_MS": "20000"}
)


@pytest.fixture(autouse=True)
def _images() -> None:
    import shutil

    if shutil.which("podman") is None:
        pytest.skip("podman is not installed")
    for name in (OPTIONS.image, OPTIONS.database_image, OPTIONS.proxy_image):
        if Commands("podman").image(name) is None:
            pytest.fail(f"there is no image {name}: tests/containers/prepare makes it")


def ours(process_id: int) -> list[str]:
    """Containers, networks and volumes that a study of this process has made."""
    commands = Commands("podman")
    filters = ("--filter", f"label={LABEL}={process_id}")
    told = [
        commands.say("ps", "-a", *filters, "--format", "{{.Names}}"),
        commands.say("network", "ls", *filters, "--format", "{{.Name}}"),
        commands.say("volume", "ls", *filters, "--format", "{{.Name}}"),
    ]
    return [name for text in told for name in text.split()]


def test_containers_are_driven_within_their_limits_and_go(tmp_path: Path) -> None:
    what = StudyOptions(
        replicas=(2,), users=(3,), rates=(2.0,), proxies=(False, True), seconds=5.0, warm_s=1.0, repeats=1,
        think_s=0.3, timeout_s=30.0, photos=str(write_photographs(tmp_path / "photos")),
        out=tmp_path / "study",
    )  # fmt: skip
    folder = StudyFolder(what.out)
    Study(what, ContainerEngine("podman", OPTIONS), folder).run()
    found = write_report(folder)
    assert found["loads"] == 4
    assert found["failures"]["failed"] == 0, found["failures"]
    assert found["failures"]["lost"] == {"predictions": 0, "corrections": 0, "uploads": 0}
    assert found["failures"]["not_checked"] == 0
    for row in found["rows"]:
        assert 0 < row["cpus_used_each"] <= 0.45
        assert row["throttled_share"] is not None
        assert 50e6 < row["memory_most_bytes"] < row["memory_limit_bytes"] == 512 * 2**20
        assert row["database_cpus_used"] > 0
        assert (row["proxy_cpus_used"] is not None) == row["proxy"]
    assert ours(os.getpid()) == []
    assert (what.out / "logs" / "2x-built-in-proxy.r0" / "proxy.log").exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_killed_leaves_nothing_or_the_next_one_takes_it_away(
    tmp_path: Path, how: signal.Signals
) -> None:
    photos = str(write_photographs(tmp_path / "photos"))
    words = [
        "loadtest",
        "--engine",
        "podman",
        "--image",
        SERVE,
        "--replicas",
        "1",
        "--users",
        "0",
        "--rates",
        "1",
    ]
    words += ["--seconds", "300", "--photos", photos, "--out", str(tmp_path / "study"), "--quiet"]
    process = subprocess.Popen([sys.executable, "-c", ENTRY, *words])
    begun_s = time.monotonic()
    while len(ours(process.pid)) < 4:
        assert time.monotonic() - begun_s < 120
        assert process.poll() is None
        time.sleep(0.5)
    process.send_signal(how)
    process.wait(90)
    if how is signal.SIGKILL:
        assert ours(process.pid) != []
        ContainerEngine("podman", OPTIONS).clean()
    assert ours(process.pid) == []
