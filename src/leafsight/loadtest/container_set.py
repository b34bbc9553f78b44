"""The containers of one set-up: network, volume, database, replicas, and if asked a worker and a proxy.

Ports are published on 127.0.0.1 only. The replicas share one volume, as they would share a store.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from leafsight.errors import LeafsightError, RemoteError
from leafsight.loadtest.asking import Address, wait_until_ready
from leafsight.loadtest.container_commands import CONTAINER, LABEL, NETWORK, VOLUME, Commands
from leafsight.loadtest.container_options import ContainerOptions
from leafsight.loadtest.engines import DATABASE, PROXY, SERVICE, WORKER, Part, Running
from leafsight.loadtest.parts import Reading, read_container
from leafsight.loadtest.proxy_config import proxy_config
from leafsight.loadtest.setups import BUILT_IN, SetUp

STATE, PASSWORD_FILE = "/var/lib/leafsight", "/run/password"
SERVICE_PORT, PROXY_PORT = 8000, 8080
READY_LIMIT_S, DATABASE_LIMIT_S = 90.0, 90.0


class ContainerSet:
    """One set-up: what was made for it, so that all of it can be taken away again.

    Args:
        commands: of the engine.
        options: how containers are started.
        setup: what is to run.
        folder: for its files and logs.
    """

    def __init__(self, commands: Commands, options: ContainerOptions, setup: SetUp, folder: Path) -> None:
        self._commands, self._options, self._setup, self._folder = commands, options, setup, folder
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
        self._commands.say("network", "create", "--label", self._label, self._tag)
        self._made.append((NETWORK, self._tag))
        self._commands.say("volume", "create", "--label", self._label, self._tag)
        self._made.append((VOLUME, self._tag))
        parts = [self._database()]
        key = self._key()
        replicas = []
        for number in range(self._setup.replicas):
            address, part = self._replica(number)
            replicas.append(address)
            parts.append(part)
        for address, part in zip(replicas, parts[1:], strict=True):
            wait_until_ready(address, READY_LIMIT_S, lambda part=part: not part.ended())  # type: ignore[misc]
        fronts = tuple(replicas)
        if self._options.worker_image:
            parts.append(self._worker())
        if self._setup.proxy:
            front, part = self._proxy()
            fronts = (front,)
            parts.append(part)
            wait_until_ready(front, READY_LIMIT_S, lambda: not part.ended())
        return Running(fronts, tuple(replicas), key, tuple(parts), time.monotonic() - begun_s)

    def end(self) -> None:
        """Keep the logs, then remove everything, newest first; go on whatever fails."""
        for kind, name in reversed(self._made):
            with contextlib.suppress(LeafsightError):
                if kind == CONTAINER:
                    talk = self._commands.logs(name)
                    (self._folder / f"{name.removeprefix(self._tag + '-')}.log").write_text(talk)
            with contextlib.suppress(LeafsightError):
                self._commands.remove(kind, name)
        self._made.clear()
        (self._folder / "password").unlink(missing_ok=True)

    def _run(self, name: str, image: str, words: Sequence[str] = (), options: Sequence[str] = ()) -> str:
        """Start a container in the network; its name."""
        full = f"{self._tag}-{name}"
        self._made.append((CONTAINER, full))
        self._commands.say(
            "run", "-d", "--name", full, "--label", self._label, "--network", self._tag, *options,
            image, *words,
        )  # fmt: skip
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
                return self._commands.say(
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
        words = [*self._service_words(), "-p", f"127.0.0.1:{port}:{SERVICE_PORT}", "--no-healthcheck"]
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
        # Numbers, no names: nginx ends at its start where a name server is late.
        inside, tls = [f"{one}:{SERVICE_PORT}" for one in self._inside()], self._options.proxy_tls
        file.write_text(proxy_config(inside, PROXY_PORT, tls=tls))
        words = ["-v", f"{file.absolute()}:/etc/nginx/nginx.conf:ro", "--tmpfs", "/tmp"]  # noqa: S108
        if tls:
            words += ["-v", f"{self._certificate().absolute()}:/tls:ro"]
        words += ["-p", f"127.0.0.1:{port}:{PROXY_PORT}", *_cpu_words(self._options.proxy_cpus)]
        name = self._run("proxy", self._options.proxy_image, (), words)
        return Address("127.0.0.1", port, tls), self._part("proxy", PROXY, name, self._options.proxy_cpus, 0)

    def _certificate(self) -> Path:
        """A folder with a certificate for some days, made by the image of the database, which has openssl."""
        folder = self._folder / "tls"
        folder.mkdir(exist_ok=True)
        words = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "7",
        ]
        words += ["-subj", "/CN=localhost", "-keyout", "/tls/tls.key", "-out", "/tls/tls.crt"]
        self._commands.say(
            "run", "--rm", "--label", self._label, "--user", "0:0", "-v", f"{folder.absolute()}:/tls",
            "--entrypoint", "openssl", self._options.database_image, *words,
        )  # fmt: skip
        for path in folder.iterdir():
            path.chmod(0o644)  # the user of the proxy reads it; the folder of the study is its owner's alone
        return folder

    def _inside(self) -> list[str]:
        """Addresses of the replicas in the network of the containers."""
        shown = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        names = [f"{self._tag}-replica-{number + 1}" for number in range(self._setup.replicas)]
        return [self._commands.say("inspect", "--format", shown, name) for name in names]

    def _part(self, shown: str, role: str, name: str, cpus: float, memory_bytes: int) -> Part:
        process_id = int(self._commands.say("inspect", "--format", "{{.State.Pid}}", name))
        return Part(shown, role, partial(_read, process_id), partial(self._ended, name), cpus, memory_bytes)

    def _ended(self, name: str) -> str:
        """How a container ended; empty while it runs."""
        told = self._commands.say(
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
