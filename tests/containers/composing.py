"""The set-ups of compose.yaml, by podman-compose, or by Docker Compose on Podman's socket.

Enters: a profile and what ``.env`` would say. Leaves: containers of one project, which are gone afterwards.
Podman has its health checks started by systemd; where there is none, somebody has to: ``_looked_after`` does.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.containers.asking import Web
from tests.containers.engine import LABEL, REPOSITORY, SERVE, STANDINS, TRAIN, call, logs

TOOLS = REPOSITORY / "build" / "containers" / "bin"
PORTS = {
    "LEAFSIGHT_PORT": 18100,
    "LEAFSIGHT_HTTP_PORT": 18180,
    "LEAFSIGHT_HTTPS_PORT": 18143,
    "LEAFSIGHT_ADMIN_PORT": 19143,
    "LEAFSIGHT_PROMETHEUS_PORT": 19190,
}
PROJECT = f"{LABEL}-set-up"
KEY = re.compile(r"first key: (ls_[0-9a-f]{32}_[0-9a-f]{64})")
WITHOUT_GRAFANA = ("proxy", "replica", "worker", "prometheus")
"""What is named brings up what it depends on. For Grafana there is no image without a registry."""


@dataclass
class SetUp:
    """One project of compose.yaml.

    Attributes:
        profile: small or full.
        environment: what is chosen.
        tool: ``podman-compose`` or ``docker-compose``.
    """

    profile: str
    environment: dict[str, str]
    tool: str = "podman-compose"
    said: list[str] = field(default_factory=list)

    def compose(self, *words: object, within_s: float = 300.0) -> str:
        """One command of the tool on this project."""
        tool = str(TOOLS / self.tool)
        command = [tool, "--project-name", PROJECT, "--profile", self.profile, *map(str, words)]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, timeout=within_s
        )
        self.said.append(done.stdout + done.stderr)
        assert done.returncode == 0, f"{' '.join(command)}\n{self.said[-1]}"
        return done.stdout

    def up(self, *services: str, options: tuple[str, ...] = ()) -> None:
        """As a person brings it up, images being there."""
        self.compose("up", "--detach", "--no-build", *options, *services)

    def down(self) -> None:
        """Containers and networks go, volumes stay."""
        self.compose("down")

    def containers(self, service: str = "", *, also_ended: bool = False) -> list[str]:
        """Names of the project's containers."""
        wanted = ["--filter", f"label=com.docker.compose.project={PROJECT}"]
        if service:
            wanted += ["--filter", f"label=com.docker.compose.service={service}"]
        every = ["--all"] if also_ended else []
        return sorted(call("ps", *every, *wanted, "--format", "{{.Names}}").stdout.split())

    def everything_said(self) -> str:
        """The last lines of each container, to be read where one does not come up."""
        return "\n".join(
            f"== {name}\n" + "\n".join(logs(name).splitlines()[-15:])
            for name in self.containers(also_ended=True)
        )

    def first_key(self, service: str) -> str:
        """As the log says it."""
        [name] = self.containers(service, also_ended=True)
        found = KEY.search(logs(name))
        assert found, logs(name)
        return found[1]

    def web(self, port: str = "LEAFSIGHT_HTTPS_PORT", key: str = "") -> Web:
        """The service behind one of the published ports."""
        return Web(PORTS[port], key, tls=port in ("LEAFSIGHT_HTTPS_PORT", "LEAFSIGHT_ADMIN_PORT"))


@contextlib.contextmanager
def set_up(profile: str, folder: Path, *, tool: str = "podman-compose", **chosen: str) -> Iterator[SetUp]:
    """A project that is not up yet; nothing of it is left afterwards.

    Args:
        profile: small or full.
        folder: for the secrets.
        tool: that brings it up.
        chosen: further variables of ``.env``.
    """
    secrets = folder / "secrets"
    program = REPOSITORY / "deploy/compose/make_secrets.py"
    subprocess.run([sys.executable, program, "--folder", secrets], check=True, capture_output=True)
    images = {"LEAFSIGHT_IMAGE": SERVE, "LEAFSIGHT_WORKER_IMAGE": TRAIN, **STANDINS}
    variables = {**images, **{name: str(port) for name, port in PORTS.items()}, **chosen}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEAFSIGHT_")}
    environment = {**inherited, **variables, "LEAFSIGHT_SECRETS_DIR": str(secrets)}
    remove_all()
    with contextlib.ExitStack() as stack:
        stack.callback(remove_all)
        if tool == "docker-compose":
            environment["DOCKER_HOST"] = stack.enter_context(_socket(folder))
        stack.enter_context(_looked_after())
        yield SetUp(profile, environment, tool)


@contextlib.contextmanager
def _socket(folder: Path) -> Iterator[str]:
    """Podman, as Docker's clients ask for it."""
    address = f"unix://{folder}/engine.sock"
    with subprocess.Popen(["podman", "system", "service", "--time", "0", address]) as process:
        try:
            while not (folder / "engine.sock").exists():
                assert process.poll() is None
                time.sleep(0.05)
            yield address
        finally:
            process.terminate()


@contextlib.contextmanager
def _looked_after() -> Iterator[None]:
    """Health checks run once a second, as systemd would have them run."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(1.0):
            wanted = ("--filter", f"label=com.docker.compose.project={PROJECT}")
            for name in call("ps", *wanted, "--format", "{{.Names}}", check=False).stdout.split():
                call("healthcheck", "run", name, check=False)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def remove_all() -> None:
    """Everything of the project, also what a run that was killed left."""
    wanted = ("--filter", f"label=com.docker.compose.project={PROJECT}")
    for _ in range(3):  # Podman removes what others depend on last
        if names := call("ps", "--all", *wanted, "--format", "{{.Names}}", check=False).stdout.split():
            call("rm", "--force", "--volumes", "--time", "2", *names, check=False)
    for kind in ("volume", "network"):
        listed = call(kind, "ls", "--format", "{{.Name}}", check=False).stdout.split()
        for name in listed:
            if name.startswith(f"{PROJECT}_"):
                call(kind, "rm", "--force", name, check=False)
