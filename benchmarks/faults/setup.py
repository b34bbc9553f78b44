"""The full set-up of compose.yaml under a name of its own: start, look, renew a replica, take all of it away.

Enters: options and a folder. Leaves: a running set-up. Everything that is made carries the label of this
process and is removed at the end; what an earlier run left behind that was killed, ``clean`` removes.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.composing import Project, Service, read_compose, run_words
from benchmarks.faults.disks import Disk
from benchmarks.faults.engine import Containers, EngineError

from leafsight.loadtest.asking import Address, wait_until_ready
from leafsight.loadtest.parts import Reading, read_container

ROOT = Path(__file__).parents[2]
LABEL = "leafsight.faults"
STANDINS = {
    f"LEAFSIGHT_{name.upper()}_IMAGE": f"localhost/leafsight-standin/{name}"
    for name in ("proxy", "database", "store", "prometheus")
}
FIRST_KEY = re.compile(r"lsk?_\S+")
READY_LIMIT_S, ONCE_LIMIT_S = 120.0, 120.0
ASKED = {"LEAFSIGHT_LEARNING_PROMOTE": "ask"}
"""A retraining and a promotion are two faults here: the first does not bring the second with it."""
OWNERS = {"database": 999, "store": 1000}


@dataclass(frozen=True, slots=True)
class SetUpOptions:
    """What the set-up is like.

    Attributes:
        replicas: of the service.
        cpus: processors of each.
        memory: of each, as podman reads it.
        worker_cpus: processors of the worker.
        image: of the service.
        worker_image: of the worker.
        variables: others of compose.yaml.
        database_disk_bytes, store_disk_bytes: 0 means an ordinary volume; otherwise a disk of this size.
        replica_disk_bytes: of each tmpfs of a replica; 0 means as the file says.
        compose: the file.
    """

    replicas: int = 2
    cpus: float = 0.4
    memory: str = "512m"
    worker_cpus: float = 0.5
    image: str = "localhost/leafsight:serve"
    worker_image: str = "localhost/leafsight:train"
    variables: dict[str, str] = field(default_factory=dict)
    database_disk_bytes: int = 0
    store_disk_bytes: int = 0
    replica_disk_bytes: int = 0
    compose: Path = ROOT / "compose.yaml"


class FullSetUp:
    """Proxy, replicas, worker, database and store.

    Args:
        engine: the containers.
        options: what it is like.
        folder: for secrets, disks and logs.
    """

    def __init__(self, engine: Containers, options: SetUpOptions, folder: Path) -> None:
        self.engine, self.options, self.folder = engine, options, folder
        self.name = f"leafsight-faults-{os.getpid()}"
        self.label = f"{LABEL}={os.getpid()}"
        self.key = ""
        self.disks: dict[str, Disk] = {}
        self._ports = dict(zip(("HTTP", "HTTPS", "ADMIN"), free_ports(3), strict=True))
        self._highest = 0
        self._processes: dict[str, int] = {}
        self.replicas: list[str] = []
        variables = {
            **STANDINS,
            "LEAFSIGHT_IMAGE": options.image,
            "LEAFSIGHT_WORKER_IMAGE": options.worker_image,
            "LEAFSIGHT_CPUS": f"{options.cpus:g}",
            "LEAFSIGHT_MEMORY": options.memory,
            "LEAFSIGHT_WORKER_CPUS": f"{options.worker_cpus:g}",
            **{f"LEAFSIGHT_{name}_PORT": str(port) for name, port in self._ports.items()},
            **options.variables,
        }
        said = read_compose(options.compose, variables, "full")
        self._services: dict[str, Service] = said["services"]
        self._networks: dict[str, dict[str, bool]] = said["networks"]
        self._secrets = folder / "secrets"
        self._project = Project(
            self.name, self.label, ROOT, {name: self._secrets / name for name in said["secrets"]}
        )

    @property
    def front(self) -> Address:
        """Where everybody asks: the proxy."""
        return Address("127.0.0.1", self._ports["HTTPS"], https=True)

    @property
    def admin(self) -> Address:
        """The proxy's port for the admin side."""
        return Address("127.0.0.1", self._ports["ADMIN"], https=True)

    def container(self, service: str) -> str:
        """The name of the one container of a service."""
        return f"{self.name}-{service}"

    def network(self, name: str) -> str:
        """The full name of a network of the file."""
        return f"{self.name}_{name}"

    @contextlib.contextmanager
    def running(self) -> Iterator[FullSetUp]:
        """Up as long as the block."""
        try:
            self.begin()
            yield self
        finally:
            self.end()

    def begin(self) -> None:
        """Start everything and wait until all of it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, str(ROOT / "deploy/compose/make_secrets.py"), "--folder", str(self._secrets)]
        subprocess.run(words, check=True, capture_output=True)
        for name, values in self._networks.items():
            inside = ["--internal"] if (values or {}).get("internal") else []
            self.engine.say("network", "create", "--label", self.label, *inside, self.network(name))
        self._make_disks()
        self.once("certificate")
        for name in ("database", "store"):
            self.start(name)
        for name in ("database", "store"):
            self.engine.wait_until_healthy(self.container(name))
        self.once("bucket")
        self.key = FIRST_KEY.findall(self.once("setup"))[-1]
        for _ in range(self.options.replicas):
            self.add_replica()
        for name in self.replicas:
            self.engine.wait_until_healthy(name)
        for name in ("worker", "proxy"):
            self.start(name)
        wait_until_ready(
            self.front, READY_LIMIT_S, lambda: bool(self.engine.process(self.container("proxy")))
        )

    def _make_disks(self) -> None:
        sizes = {"database": self.options.database_disk_bytes, "store": self.options.store_disk_bytes}
        volumes = {}
        for name, size in sizes.items():
            if size:
                self.disks[name] = disk = Disk(self.folder / "disks", name, size)
                disk.make(OWNERS[name])
                volumes[name] = disk.data
        self._project = Project(
            self.name, self.label, ROOT, self._project.secrets, volumes=volumes,
            environment=dict.fromkeys(("replica", "worker", "setup"), ASKED),
        )  # fmt: skip

    def start(self, service: str) -> None:
        """Start the one container of a service."""
        words = run_words(self._project, self._services[service])
        self.engine.say("run", "--detach", "--name", self.container(service), *words)

    def once(self, service: str) -> str:
        """Run a service that ends; its log.

        Raises:
            EngineError: it failed again and again.
        """
        words = run_words(self._project, self._services[service])
        at = words.index("--restart")
        del words[at : at + 2]  # tried again here, so that its end is seen
        begun_s, name = time.monotonic(), self.container(service)
        while True:
            self.engine.say("run", "--name", name, *words, check=False)
            talk = self.engine.talk(name)
            code = self.engine.look(name)["State"]["ExitCode"]
            self.engine.say("rm", "--force", "--volumes", name)
            if not code:
                return talk
            if time.monotonic() - begun_s > ONCE_LIMIT_S:
                raise EngineError(f"{service} ended with {code}: {talk[-400:]}")
            time.sleep(1.0)

    def command(self, words: list[str], options: Sequence[str] = ()) -> str:
        """Run a command of leafsight beside the set-up, as an operator would; what it prints."""
        values = dict(self._services["setup"].values) | {"command": words}
        said = run_words(self._project, Service("setup", values))
        at = said.index("--restart")
        del said[at : at + 2]
        return self.engine.say("run", "--rm", *options, *said)

    def add_replica(self, image: str = "") -> str:
        """Start one more replica; its name."""
        self._highest += 1
        name = f"{self.container('replica')}-{self._highest}"
        words = run_words(self._project, self._services["replica"], image=image)
        if self.options.replica_disk_bytes:
            words = with_sized_tmpfs(words, self.options.replica_disk_bytes)
        self.engine.say("run", "--detach", "--name", name, *words)
        self.replicas.append(name)
        return name

    def remove_replica(self, name: str) -> None:
        """Stop a replica as the engine does it, with its grace, and take it away."""
        self.engine.say("stop", name)
        self.keep_log(name)
        self.engine.say("rm", "--force", "--volumes", name)
        self.replicas.remove(name)

    def parts(self) -> list[str]:
        """The names of all containers that run for good."""
        return [*self.replicas, *(self.container(one) for one in ("proxy", "worker", "database", "store"))]

    def memory(self) -> dict[str, Reading]:
        """What each part uses now. The engine is asked for a process only when the former one is gone."""
        for name in self.parts():
            if not is_in_container(self._processes.get(name, 0)):
                self._processes[name] = self.engine.process(name)
        known = {name: self._processes[name] for name in self.parts()}
        return {name: read_container(process) for name, process in known.items() if is_in_container(process)}

    def keep_log(self, name: str, folder: Path | None = None) -> None:
        """Write the end of a log into a folder."""
        short = name.removeprefix(f"{self.name}-")
        text = self.engine.talk(name, 5000)
        ((folder or self.folder) / f"{short}.log").write_text(text, encoding="utf-8")

    def end(self) -> None:
        """Keep the logs and remove everything, whatever fails."""
        remove_all(self.engine, self.label, keep=self.keep_log)
        for disk in self.disks.values():
            disk.remove()
        for path in self._secrets.glob("*"):
            path.unlink()


def is_in_container(process: int) -> bool:
    """Whether a process is in the control group of a container; one that is being started is not yet."""
    try:
        return "libpod" in Path(f"/proc/{process}/cgroup").read_text()
    except OSError:
        return False


def with_sized_tmpfs(words: list[str], size_bytes: int) -> list[str]:
    """The words of ``podman run`` with a size at each tmpfs."""
    found = list(words)
    for at, word in enumerate(words):
        if word == "--tmpfs":
            where, _, rest = words[at + 1].partition(":")
            found[at + 1] = f"{where}:{','.join(filter(None, [rest, f'size={size_bytes}']))}"
    return found


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def remove_all(engine: Containers, label: str, keep: object = None) -> None:
    """Remove containers, networks and volumes with a label."""
    told = engine.say("ps", "--all", "--filter", f"label={label}", "--format", "{{.Names}}", check=False)
    names = told.split()
    for name in names:
        if callable(keep):
            with contextlib.suppress(Exception):
                keep(name)
    if names:
        engine.say("rm", "--force", "--volumes", "--time", "5", *names, check=False)
    for kind in ("network", "volume"):
        told = engine.say(kind, "ls", "--filter", f"label={label}", "--format", "{{.Name}}", check=False)
        for name in told.split():
            engine.say(kind, "rm", "--force", name, check=False)


def clean(engine: Containers) -> int:
    """Remove what runs left whose process is gone; how many containers."""
    form = f'{{{{index .Labels "{LABEL}"}}}}'
    told = engine.say("ps", "--all", "--filter", f"label={LABEL}", "--format", form, check=False)
    owners = {one for one in told.split() if not Path(f"/proc/{one}").exists()}
    for owner in owners:
        remove_all(engine, f"{LABEL}={owner}")
    return len(owners)
