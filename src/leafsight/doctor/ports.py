"""Whether a server could listen where it should, or who does already."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

from leafsight import __version__
from leafsight.doctor.addresses import asked_at
from leafsight.doctor.asking import ask
from leafsight.doctor.findings import Finding
from leafsight.errors import LeafsightError


def check_ports(
    host: str, port: int, admin_host: str, admin_port: int, *, timeout_s: float
) -> Iterator[Finding]:
    """Both ports; 0 in place of the admin port means that there is none.

    Args:
        host: where everybody is answered.
        port: the same.
        admin_host: where the admin side is.
        admin_port: the same.
        timeout_s: for one answer of who listens there.
    """
    yield from _port("ports.port", host, port, timeout_s)
    if admin_port:
        yield from _port("ports.admin_port", admin_host, admin_port, timeout_s)


def _port(name: str, host: str, port: int, timeout_s: float) -> Iterator[Finding]:
    where = f"{host}:{port}"
    if port == 0:
        yield Finding(name, "ok", "a free port is taken at the start")
        return
    try:
        _listen(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            yield from _who_listens(name, host, port, timeout_s)
        else:
            yield _cannot(name, where, error)
        return
    yield Finding(name, "ok", f"{where} is free")


def _listen(host: str, port: int) -> None:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        if os.name == "posix":  # as a server does, so that connections which have just ended do not count
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def _cannot(name: str, where: str, error: OSError) -> Finding:
    if isinstance(error, socket.gaierror):
        return Finding(name, "fail", f"{where} has no address", "correct host, or the names of this computer")
    if error.errno in (errno.EACCES, errno.EPERM):
        todo = "choose a port from 1024 on, or let a proxy listen there"
        return Finding(name, "fail", f"{where} may not be listened on by this user", todo)
    if error.errno == errno.EADDRNOTAVAIL:
        todo = "set host to an address of this computer, or 0.0.0.0 for all of them"
        return Finding(name, "fail", f"{where} is no address of this computer", todo)
    return Finding(
        name, "fail", f"{where} cannot be listened on: {error.strerror}", "choose another host or port"
    )


def _who_listens(name: str, host: str, port: int, timeout_s: float) -> Iterator[Finding]:
    where, server = f"{host}:{port}", asked_at(host, port)
    try:
        alive = ask(server, "/healthz", timeout_s=timeout_s)
    except LeafsightError:
        alive = None
    if alive is None or alive.value.get("status") != "alive":
        yield Finding(
            name,
            "fail",
            f"{where} is held by another program",
            "end it (ss -ltnp shows it), or choose another port",
        )
        return
    version = str(alive.value.get("version", "?"))
    if version == __version__:
        yield Finding(name, "ok", f"a leafsight {version} listens on {where} already")
    else:
        yield Finding(
            name, "warn", f"a leafsight {version} listens on {where}, and this is {__version__}",
            "start that server again with this version, or run its own leafsight doctor",
        )  # fmt: skip
    yield readiness(f"{name}_ready", server, timeout_s)


def readiness(name: str, server: str, timeout_s: float) -> Finding:
    """Whether a server takes requests now, and with which model.

    Args:
        name: of the finding.
        server: its address.
        timeout_s: for each wait.
    """
    try:
        ready, about = (ask(server, path, timeout_s=timeout_s) for path in ("/readyz", "/v1/about"))
    except LeafsightError as error:
        return Finding(name, "fail", error.message, error.hint)
    model = about.value.get("model")
    told = f"; it serves {model.get('name')}" if isinstance(model, dict) else ""
    if ready.status == 200:
        return Finding(name, "ok", f"the server takes requests{told}")
    why = ready.value.get("detail") or ready.value.get("title") or ready.status
    return Finding(
        name, "fail", f"the server takes no requests: {why}", "see its log, and the database above"
    )
