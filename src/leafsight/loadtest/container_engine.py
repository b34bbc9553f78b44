"""Set-ups of containers with stated limits, by the command line of podman or docker.

Everything that is made carries a label with the process that made it, and is removed when the block ends; what a
process left behind that was killed, the next study removes (``clean``). Ports are published on 127.0.0.1 only.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from leafsight.errors import LeafsightError, RemoteError, UsageError
from leafsight.loadtest.asking import Address, wait_until_ready
from leafsight.loadtest.engines import DATABASE, PROXY, SERVICE, WORKER, Part, Running
from leafsight.loadtest.parts import Reading, read_container
from leafsight.loadtest.proxy_config import proxy_config
from leafsight.loadtest.setups import BUILT_IN, SetUp

LABEL = "leafsight.loadtest"
STATE, PASSWORD_FILE = "/var/lib/leafsight", "/run/password"  # noqa: S105 (a path)
SERVICE_PORT, PROXY_PORT = 8000, 8080
COMMAND_LIMIT_S, READY_LIMIT_S, DATABASE_LIMIT_S = 120.0, 90.0, 90.0


@dataclass(frozen=True, slots=True)
class ContainerOptions:
    """How containers are started.

    Attributes:
        image: of the service.
        worker_image: of the worker; empty for none.
        proxy_image: of nginx.
        database_image: of PostgreSQL.
        cpus: processors that each replica may use.
        memory_bytes: memory of each replica.
        proxy_cpus, database_cpus: of the other parts; 0 means no limit.
        workers: processes of each replica.
        environment: added to that of replicas and worker.
    """

    image: str = "leafsight:serve"
    worker_image: str = ""
    proxy_image: str = "localhost/leafsight-standin/proxy"
    database_image: str = "localhost/leafsight-standin/database"
    cpus: float = 0.4
    memory_bytes: int = 512 * 2**20
    proxy_cpus: float = 0.0
    database_cpus: float = 0.0
    workers: int = 1
    environment: dict[str, str] = field(default_factory=dict)


def found_engine(wanted: str) -> str:
    """The engine's program.

    Args:
        wanted: ``podman``, ``docker``, or ``auto`` for the first that is installed.

    Raises:
        UsageError: none is installed.
    """
    for name in ("podman", "docker") if wanted == "auto" else (wanted,):
        if shutil.which(name):
            return name
    raise UsageError(
        f"no container engine is installed ({wanted})",
        hint="install podman or docker, or run without limits: --engine process",
    )


class ContainerEngine:
    """Podman or docker.

    Args:
        program: ``podman`` or ``docker``.
        options: how containers are started.
    """

    def __init__(self, program: str, options: ContainerOptions) -> None:
        self._program, self._options = program, options

    def facts(self) -> dict[str, Any]:
        """Engine, its version, and the images with id and size."""
        version = self._said("--version", check=False)
        names = [self._options.image, self._options.database_image]
        names += [self._options.proxy_image, self._options.worker_image]
        return {
            "engine": self._program,
            "version": version,
            "images": {name: self._image(name) for name in names if name},
            "database": "PostgreSQL in a container of its own, for every number of replicas",
        }

    def _image(self, name: str) -> dict[str, Any] | None:
        told = self._said("image", "inspect", name, check=False)
        try:
            found = json.loads(told)[0]
        except (ValueError, IndexError):
            return None
        return {"id": found["Id"].removeprefix("sha256:")[:12], "bytes": found["Size"]}

    def clean(self) -> int:
        """Remove what studies left whose process is gone."""
        removed = 0
        for kind, listed in (
            ("container", ("ps", "-a")), ("network", ("network", "ls")), ("volume", ("volume", "ls")),
        ):  # fmt: skip
            labels = '{{index .Labels "%s"}}' % LABEL
            name = "{{.Names}}" if kind == "container" else "{{.Name}}"
            told = self._said(
                *listed, "--filter", f"label={LABEL}", "--format", f"{name}\t{labels}", check=False
            )
            for line in told.splitlines():
                thing, _, owner = line.partition("\t")
                if thing and not _is_alive(owner):
                    self._remove(kind, thing)
                    removed += 1
        return removed

    def _remove(self, kind: str, name: str) -> None:
        words = {
            "container": ("rm", "-f", "-v"),
            "network": ("network", "rm", "-f"),
            "volume": ("volume", "rm", "-f"),
        }
        if self._program == "docker" and kind == "network":
            words["network"] = ("network", "rm")
        self._said(*words[kind], name, check=False)

    @contextlib.contextmanager
    def running(self, setup: SetUp, folder: Path) -> Iterator[Running]:
        """See ``Engine``."""
        for image in self._wanted_images(setup):
            if self._image(image) is None:
                raise UsageError(f"there is no image {image}", hint="build it first; see docs/loadtest.md")
        folder.mkdir(parents=True, exist_ok=True)
        start = _Start(self, setup, folder)
        try:
            yield start.begin()
        finally:
            start.end()

    def _wanted_images(self, setup: SetUp) -> list[str]:
        options = self._options
        found = [options.image, options.database_image]
        return (
            found + [options.proxy_image] * setup.proxy + [options.worker_image] * bool(options.worker_image)
        )

    def _said(self, *words: str, check: bool = True, limit_s: float = COMMAND_LIMIT_S) -> str:
        """stdout of one command of the engine.

        Raises:
            RemoteError: it failed, or took too long.
        """
        try:
            done = subprocess.run(  # noqa: S603 (a program of the operator, words without a shell)
                [self._program, *words],
                capture_output=True,
                text=True,
                timeout=limit_s,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as error:
            raise RemoteError(f"{self._program} {words[0]} did not end within {limit_s:.0f} s") from error
        if check and done.returncode:
            talk = " ".join(line for line in done.stderr.splitlines() if "syslog" not in line).strip()
            raise RemoteError(
                f"{self._program} {words[0]} failed: {talk[-500:]}", hint="try the command by hand"
            )
        return done.stdout.strip()


class _Start:
    """One set-up: what was made for it, so that all of it can be taken away again."""

    def __init__(self, engine: ContainerEngine, setup: SetUp, folder: Path) -> None:
        self._engine, self._setup, self._folder = engine, setup, folder
        self._options = engine._options
        self._tag = f"leafsight-load-{os.getpid()}-{secrets.token_hex(3)}"
        self._label = f"{LABEL}={os.getpid()}"
        self._made: list[tuple[str, str]] = []
        self._password = secrets.token_hex(16)

    def begin(self) -> Running:
        """Start everything and wait until it is ready.

        Raises:
            LeafsightError: something does not start, or not in time.
        """
        begun_s = time.monotonic()
        self._engine._said("network", "create", "--label", self._label, self._tag)
        self._made.append(("network", self._tag))
        self._engine._said("volume", "create", "--label", self._label, self._tag)
        self._made.append(("volume", self._tag))
        parts = [self._database()]
        key = self._key()
        replicas = []
        for number in range(self._setup.replicas):
            address, part = self._replica(number)
            replicas.append(address)
            parts.append(part)
        for address, part in zip(replicas, parts[1:], strict=True):
            wait_until_ready(address, READY_LIMIT_S, lambda part=part: not part.alive())  # type: ignore[misc]
        fronts = tuple(replicas)
        if self._options.worker_image:
            parts.append(self._worker())
        if self._setup.proxy:
            front, part = self._proxy()
            fronts = (front,)
            parts.append(part)
            wait_until_ready(front, READY_LIMIT_S, lambda: not part.alive())
        return Running(fronts, tuple(replicas), key, tuple(parts), time.monotonic() - begun_s)

    def end(self) -> None:
        """Keep the logs, then remove everything, newest first; go on whatever fails."""
        for kind, name in reversed(self._made):
            with contextlib.suppress(LeafsightError):
                if kind == "container":
                    talk = self._engine._said("logs", "--tail", "2000", name, check=False)
                    (self._folder / f"{name.removeprefix(self._tag + '-')}.log").write_text(talk)
            with contextlib.suppress(LeafsightError):
                self._engine._remove(kind, name)
        self._made.clear()
        (self._folder / "password").unlink(missing_ok=True)

    def _run(self, name: str, image: str, words: Sequence[str] = (), options: Sequence[str] = ()) -> str:
        """Start a container in the network; its name."""
        full = f"{self._tag}-{name}"
        self._made.append(("container", full))
        self._engine._said(
            "run",
            "-d",
            "--name",
            full,
            "--label",
            self._label,
            "--network",
            self._tag,
            *options,
            image,
            *words,
        )
        return full

    def _database(self) -> Part:
        file = self._folder / "password"
        file.touch(mode=0o600)
        file.write_text(self._password)
        file.chmod(0o444)  # the user of the database in its container reads it; the folder is ours alone
        options = ["--network-alias", "database", "-v", f"{file.absolute()}:{PASSWORD_FILE}:ro"]
        options += ["-e", f"POSTGRES_PASSWORD_FILE={PASSWORD_FILE}"]
        options += ["-e", "POSTGRES_USER=leafsight", "-e", "POSTGRES_DB=leafsight", "--shm-size", "128m"]
        options += _cpu_words(self._options.database_cpus)
        name = self._run(
            "database", self._options.database_image, ["postgres", "-c", "max_connections=300"], options
        )
        return self._part("database", DATABASE, name, self._options.database_cpus, 0)

    def _key(self) -> str:
        """A key for all that the study asks; also makes the tables. Tried until the database answers.

        Raises:
            RemoteError: not in time.
        """
        words = ["keys", "make", "loadtest", "--quiet"]
        words += ["--scope", "predict", "--scope", "upload", "--scope", "admin"]
        begun_s = time.monotonic()
        while True:
            try:
                return self._engine._said(
                    "run", "--rm", "--label", self._label, "--network", self._tag, *self._service_words(),
                    self._options.image, *words,
                ).splitlines()[-1].strip()  # fmt: skip
            except RemoteError:
                if time.monotonic() - begun_s > DATABASE_LIMIT_S:
                    raise
                time.sleep(1.0)

    def _service_words(self) -> list[str]:
        """What replicas, worker and the maker of keys have in common."""
        environment = {
            "LEAFSIGHT_DATABASE_URL": f"postgresql://leafsight:{self._password}@database:5432/leafsight",
            "LEAFSIGHT_WORKERS": str(self._options.workers),
            **self._options.environment,
        }
        words = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "-v", f"{self._tag}:{STATE}"]  # noqa: S108
        if self._setup.model != BUILT_IN:
            inside = f"/models/{Path(self._setup.model).name}"
            words += ["-v", f"{Path(self._setup.model).absolute()}:{inside}:ro"]
            environment["LEAFSIGHT_MODEL"] = inside
        for name, value in environment.items():
            words += ["-e", f"{name}={value}"]
        return words

    def _replica(self, number: int) -> tuple[Address, Part]:
        port, options = _free_port(), self._options
        words = [*self._service_words(), "--network-alias", f"replica-{number + 1}"]
        words += ["-p", f"127.0.0.1:{port}:{SERVICE_PORT}", "--no-healthcheck"]
        words += [*_cpu_words(options.cpus), "--memory", str(options.memory_bytes)]
        words += ["--memory-swap", str(options.memory_bytes)]
        name = self._run(f"replica-{number + 1}", options.image, (), words)
        part = self._part(f"replica {number + 1}", SERVICE, name, options.cpus, options.memory_bytes)
        return Address("127.0.0.1", port), part

    def _worker(self) -> Part:
        name = self._run("worker", self._options.worker_image, ["work"], self._service_words())
        return self._part("worker", WORKER, name, 0.0, 0)

    def _proxy(self) -> tuple[Address, Part]:
        port, file = _free_port(), self._folder / "nginx.conf"
        names = [f"replica-{number + 1}:{SERVICE_PORT}" for number in range(self._setup.replicas)]
        file.write_text(proxy_config(names, PROXY_PORT))
        words = ["-v", f"{file.absolute()}:/etc/nginx/nginx.conf:ro", "--tmpfs", "/tmp"]  # noqa: S108
        words += ["-p", f"127.0.0.1:{port}:{PROXY_PORT}", *_cpu_words(self._options.proxy_cpus)]
        name = self._run("proxy", self._options.proxy_image, (), words)
        return Address("127.0.0.1", port), self._part("proxy", PROXY, name, self._options.proxy_cpus, 0)

    def _part(self, shown: str, role: str, name: str, cpus: float, memory_bytes: int) -> Part:
        process_id = int(self._engine._said("inspect", "--format", "{{.State.Pid}}", name))
        return Part(shown, role, partial(_read, process_id), partial(self._ended, name), cpus, memory_bytes)

    def _ended(self, name: str) -> str:
        """How a container ended; empty while it runs."""
        told = self._engine._said(
            "inspect",
            "--format",
            "{{.State.Running}} {{.State.OOMKilled}} {{.State.ExitCode}}",
            name,
            check=False,
        ).split()
        if len(told) == 3 and told[0] == "true":
            return ""
        if len(told) == 3 and told[1] == "true":
            return "killed for memory"
        return f"ended with {told[2]}" if len(told) == 3 else "gone"


def _read(process_id: int) -> Reading:
    return read_container(process_id) if process_id > 0 else Reading()


def _cpu_words(cpus: float) -> list[str]:
    return ["--cpus", f"{cpus:g}"] if cpus > 0 else []


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _is_alive(process_id: str) -> bool:
    return process_id.isdigit() and Path(f"/proc/{process_id}").exists()
