"""The container engine, for tests: Podman, or Docker where that is named.

Enters: words of its command line. Leaves: what it printed. Everything that is started here carries the label
``leafsight-test``, so that what a killed run left behind can be found.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINE = os.environ.get("CONTAINER_ENGINE", "podman")
SERVE = "localhost/leafsight-test:serve"
TRAIN = "localhost/leafsight-test:train"
STANDINS = {
    f"LEAFSIGHT_{name.upper()}_IMAGE": f"localhost/leafsight-standin/{name}"
    for name in ("proxy", "database", "store", "prometheus")
}
LABEL = "leafsight-test"
PATIENCE_S = 240.0
PYTHON = "/opt/leafsight/bin/python"


def why_not() -> str:
    """Why containers cannot be tested here; nothing when they can."""
    if os.environ.get("TEST_CONTAINERS") != "1":
        return "containers are NOT tested: make containers does it"
    if shutil.which(ENGINE) is None:
        return f"containers are NOT tested: {ENGINE} is not installed"
    for image in (SERVE, TRAIN, *STANDINS.values()):
        if call("image", "inspect", image, check=False).returncode != 0:
            return f"containers are NOT tested: there is no image {image} (make containers builds it)"
    return ""


def call(
    *words: object, check: bool = True, timeout_s: float = PATIENCE_S
) -> subprocess.CompletedProcess[str]:
    """One command of the engine."""
    command = [ENGINE, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done


def inspected(what: str) -> dict[str, Any]:
    """All that the engine knows of one container or image."""
    found: dict[str, Any] = json.loads(call("inspect", what).stdout)[0]
    return found


def logs(container: str) -> str:
    """Everything that a container has said."""
    done = call("logs", container)
    return done.stdout + done.stderr


def until(is_so: Callable[[], Any], within_s: float = PATIENCE_S, every_s: float = 0.25) -> Any:
    """What ``is_so`` says as soon as it says something; what is not there yet may raise an ``OSError``."""
    deadline = time.monotonic() + within_s
    while True:
        with contextlib.suppress(OSError):
            if found := is_so():
                return found
        assert time.monotonic() < deadline, f"not so within {within_s:g} s"
        time.sleep(every_s)


@contextlib.contextmanager
def running(image: str, *words: object, options: tuple[object, ...] = ()) -> Iterator[str]:
    """A container in the background, as closed as in compose.yaml; gone afterwards. Yields its name."""
    name = f"{LABEL}-{os.getpid()}-{time.monotonic_ns() % 10**9}"
    closed = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges")
    call("run", "--detach", "--name", name, "--label", LABEL, *closed, *options, image, *words)
    try:
        yield name
    finally:
        call("rm", "--force", "--volumes", "--time", "2", name, check=False)


def python_in(image: str, program: str, *options: object) -> str:
    """What a program of Python prints in a fresh container of an image."""
    words = ("run", "--rm", "--label", LABEL, *options, "--entrypoint", PYTHON, image, "-c", program)
    return call(*words).stdout


def port_of(container: str, port: int = 8000) -> int:
    """Where a published port is on this machine."""
    return int(call("port", container, f"{port}/tcp").stdout.split(":")[-1])
