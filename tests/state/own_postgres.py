"""A PostgreSQL server of our own: private, in a temporary folder, gone at the end.

On a Unix socket, or on a port of this computer with a password, as a server elsewhere would be.

Found in ``PATH`` or ``/usr/lib/postgresql/*/bin``; installed with apt, once, where that is allowed.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INSTALL_S, START_S = 120, 120
USER = "leafsight"


class NoPostgresError(Exception):
    """Why there is none."""


def find_programs() -> Path:
    """The folder with ``initdb`` and ``postgres``; the newest of several."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoPostgresError("no initdb in PATH or /usr/lib/postgresql")


def install_programs() -> Path:
    """Install Debian's package; only root can."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoPostgresError("PostgreSQL is not installed, and only root on Debian can install it here")
    quiet = {"capture_output": True, "timeout": INSTALL_S, "text": True}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(["apt-get", "install", "-y", "postgresql"], env=environment, **quiet)
    except subprocess.TimeoutExpired as error:
        raise NoPostgresError(f"apt-get install postgresql took more than {INSTALL_S} s") from error
    if done.returncode != 0:
        raise NoPostgresError(f"apt-get install postgresql failed: {done.stderr.strip()[-200:]}")
    return find_programs()


def as_whom() -> dict[str, object]:
    """Words for subprocess: the server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise NoPostgresError("there is no user postgres or nobody to run the server as")


class OwnPostgres:
    """A running server. ``url(name)`` is the address of a new, empty database."""

    def __init__(self, programs: Path, folder: Path, *, safe: bool, tcp: bool) -> None:
        self.password = secrets.token_hex(16) if tcp else ""
        self._port = _free_port() if tcp else 0
        self._programs, self._folder, self._whom = programs, folder, as_whom()
        self._options = [] if safe else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        if self._whom:
            os.chown(folder, self._whom["user"], self._whom["group"])
        secret = folder / "password"
        secret.write_text(self.password)
        if self._whom:
            os.chown(secret, self._whom["user"], self._whom["group"])
        who = ["-A", "scram-sha-256", "--pwfile", secret] if tcp else ["-A", "trust"]
        done = subprocess.run(
            [programs / "initdb", "-D", folder / "data", *who, "-U", USER, "-E", "UTF8", "--no-sync"],
            capture_output=True,
            text=True,
            cwd="/",
            **self._whom,
        )
        if done.returncode != 0:
            raise NoPostgresError(f"initdb failed: {done.stderr.strip()[-300:]}")

    def start(self) -> None:
        """Start, and wait until it answers."""
        where = ["-c", "listen_addresses="]
        if self._port:
            where = ["-c", "listen_addresses=127.0.0.1", "-p", str(self._port)]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._programs / "postgres", "-D", self._folder / "data", "-k", self._folder,
                    *where, "-c", "max_connections=100", *self._options,
                ],
                stdout=log,
                stderr=log,
                cwd="/",
                **self._whom,
            )  # fmt: skip
        deadline = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                self.execute("SELECT 1")
                return
            except NoPostgresError:
                time.sleep(0.05)
        raise NoPostgresError(f"the server did not start: {(self._folder / 'server.log').read_text()[-300:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: at once (``SIGINT``), or as a power cut would (``SIGQUIT``)."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=START_S)
            self._process = None

    def checkpoint(self) -> None:
        """What was made until now need not be made again after a crash, which else takes long."""
        self.execute("CHECKPOINT")

    def execute(self, statement: str) -> None:
        """Run one statement in the database ``postgres``."""
        import psycopg

        try:
            with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
                connection.execute(statement)
        except psycopg.OperationalError as error:
            raise NoPostgresError(str(error)) from error

    def address(self, name: str) -> str:
        """The address of a database on this server."""
        if self._port:
            return f"postgresql://{USER}:{self.password}@127.0.0.1:{self._port}/{name}"
        return f"postgresql://{USER}@/{name}?host={self._folder}"

    def new_database(self) -> str:
        """The address of a new, empty database."""
        self._made += 1
        name = f"fresh_{self._made}"
        self.execute(f"CREATE DATABASE {name}")
        return self.address(name)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def own_postgres(*, safe: bool = False, tcp: bool = False) -> Iterator[OwnPostgres]:
    """A server until the block ends.

    Args:
        safe: wait for the disk, as in real use; tests need not.
        tcp: on a port, with a password (scram-sha-256).
    """
    try:
        programs = find_programs()
    except NoPostgresError:
        programs = install_programs()
    folder = Path(tempfile.mkdtemp(prefix="leafsight-pg-", dir="/tmp"))
    server = None
    try:
        server = OwnPostgres(programs, folder, safe=safe, tcp=tcp)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
