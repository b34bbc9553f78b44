"""Reads compose.yaml and says how each of its services is started with podman or docker by itself.

Enters: the file, and values for its variables. Leaves: words of ``podman run``. The set-up that is tested is
the one that the file says: images, commands, users, limits, networks, health checks and restart policies come
from it. Podman-compose itself is not used: podman 4.3, which is what Debian has, knows no waiting for a
healthy container, and a harness that starts and stops set-ups for an hour should not depend on that.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
SECONDS = re.compile(r"^(\d+)s$")


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the file, with its variables filled in.

    Attributes:
        name: of it.
        values: what stands in the file.
    """

    name: str
    values: Mapping[str, Any]

    @property
    def image(self) -> str:
        """Of it."""
        return str(self.values["image"])

    @property
    def is_once(self) -> bool:
        """Whether it does something and ends."""
        return self.values.get("restart") == "on-failure"

    @property
    def has_health(self) -> bool:
        """Whether it says how it can be asked."""
        return "healthcheck" in self.values


@dataclass(frozen=True, slots=True)
class Project:
    """How the things of one set-up are called, and where what it has from this machine lies.

    Attributes:
        name: before every name.
        label: on everything.
        root: the folder of compose.yaml.
        secrets: name of a secret -> its file.
        volumes: name of a volume -> a folder of this machine that takes its place.
        environment: name of a service -> what is added to its environment.
    """

    name: str
    label: str
    root: Path
    secrets: Mapping[str, Path]
    volumes: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_compose(path: Path, variables: Mapping[str, str], profile: str) -> dict[str, Any]:
    """The file with its variables filled in, and with the services of one profile."""

    def filled(found: re.Match[str]) -> str:
        return variables.get(found[1]) or found[2] or ""

    values: dict[str, Any] = yaml.safe_load(VARIABLE.sub(filled, path.read_text(encoding="utf-8")))
    services = {
        name: Service(name, one)
        for name, one in values["services"].items()
        if profile in one.get("profiles", [profile])
    }
    return {"services": services, "secrets": values.get("secrets", {}), "networks": values["networks"]}


def run_words(project: Project, service: Service, *, image: str = "", publish: bool = True) -> list[str]:
    """Everything between ``run --detach --name NAME`` and the end.

    Args:
        project: how things are called.
        service: what is started.
        image: another one than the file says.
        publish: whether its ports are opened on this machine.
    """
    values = service.values
    words = [
        "--label",
        project.label,
        *_network(project, service),
        *_limits(values),
        *_mounts(project, values),
    ]
    words += ["--read-only"] * bool(values.get("read_only"))
    for name in values.get("cap_drop", ()):
        words += ["--cap-drop", name.lower()]
    for name in values.get("cap_add", ()):
        words += ["--cap-add", name]
    for name in values.get("security_opt", ()):
        words += ["--security-opt", name.partition(":")[0]]
    for name in ("user", "restart", "stop_signal", "shm_size"):
        if name in values:
            words += [f"--{name.replace('_', '-')}", str(values[name])]
    if "working_dir" in values:
        words += ["--workdir", str(values["working_dir"])]
    if "stop_grace_period" in values:
        words += ["--stop-timeout", SECONDS.sub(r"\1", values["stop_grace_period"])]
    environment = {**(values.get("environment") or {}), **project.environment.get(service.name, {})}
    for name, value in environment.items():
        words += ["--env", f"{name}={value}"]
    for port in values.get("ports", ()) if publish else ():
        words += ["--publish", str(port)]
    words += _health(values)
    entry = _as_words(values.get("entrypoint"))
    if entry:
        words += ["--entrypoint", entry[0]]
    return [*words, image or service.image, *entry[1:], *_as_words(values.get("command"))]


def _network(project: Project, service: Service) -> list[str]:
    if service.values.get("network_mode"):
        return ["--network", str(service.values["network_mode"])]
    words = []
    for network in service.values.get("networks", ()):
        words += ["--network", f"{project.name}_{network}:alias={service.name}"]
    return words


def _limits(values: Mapping[str, Any]) -> list[str]:
    limits = values.get("deploy", {}).get("resources", {}).get("limits", {})
    names = {"cpus": "--cpus", "memory": "--memory", "pids": "--pids-limit"}
    words = [word for name, option in names.items() if name in limits for word in (option, str(limits[name]))]
    # No swap: the limit is the limit.
    return words + (["--memory-swap", str(limits["memory"])] if "memory" in limits else [])


def _mounts(project: Project, values: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for one in values.get("volumes", ()):
        source, _, rest = str(one).partition(":")
        if source.startswith((".", "/")):
            where = str((project.root / source).resolve())
        else:
            where = str(project.volumes.get(source, f"{project.name}_{source}"))
        words += ["--volume", f"{where}:{rest}"]
    for name in values.get("secrets", ()):
        words += ["--volume", f"{project.secrets[name]}:/run/secrets/{name}:ro"]
    for one in values.get("tmpfs", ()):
        words += ["--tmpfs", str(one)]
    return words


def _health(values: Mapping[str, Any]) -> list[str]:
    health = values.get("healthcheck")
    if not health:
        return []
    test = health["test"]
    words = ["--health-cmd", json.dumps(test[1:])]  # as a list: our images have no shell
    for name in ("interval", "timeout", "retries", "start_period"):
        if name in health:
            words += [f"--health-{name.replace('_', '-')}", str(health[name])]
    return words


def _as_words(command: str | Sequence[str] | None) -> list[str]:
    if not command:
        return []
    return shlex.split(command) if isinstance(command, str) else [str(one) for one in command]
