"""A running server asked from outside, as its callers reach it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from leafsight import __version__
from leafsight.doctor.addresses import is_local
from leafsight.doctor.asking import Reply, ask, checked_server
from leafsight.doctor.clocks import S3_FAIL_S, S3_WARN_S, WHOLE_SECONDS_S, compared
from leafsight.doctor.findings import Finding, of_error
from leafsight.doctor.ports import readiness
from leafsight.errors import LeafsightError

QUESTIONS = 16
"""Connections by which processes and replicas are met; each goes to whoever takes it."""
AGAIN_S = 2.0
"""A promotion reaches every process within this time."""
SHORT_DIGITS = 12


def check_server(
    url: str,
    key: str,
    *,
    timeout_s: float,
    now: Callable[[], int],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Finding]:
    """Version, readiness, model, clock, admin side and key of a server.

    Args:
        url: its address.
        key: for it, or empty; travels over an encrypted line or within this computer only.
        timeout_s: for each wait.
        now: the clock, milliseconds since 1970 in UTC.
        sleep: waits.
    """
    server = checked_server(url)
    host = urlsplit(server).hostname or ""
    try:
        alive = ask(server, "/healthz", timeout_s=timeout_s)
    except LeafsightError as error:
        yield of_error("server.answers", error)
        return
    if alive.value.get("status") != "alive":
        yield Finding(
            "server.answers", "fail", f"{server} answers {alive.status}, but not as a leafsight",
            "check the address, and what the proxy before it does with /healthz",
        )  # fmt: skip
        return
    yield Finding("server.answers", "ok", f"{server} answers")
    if alive.server_ms is not None:
        off_ms = alive.server_ms - now()
        yield compared(
            "clock.server", "the server", off_ms, warn_s=S3_WARN_S, fail_s=S3_FAIL_S, grain_s=WHOLE_SECONDS_S
        )
    yield readiness("server.ready", server, timeout_s)
    yield from _same(server, timeout_s, sleep)
    yield _admin(server, host, timeout_s)
    if key:
        yield _key(server, host, key, timeout_s)


def _same(server: str, timeout_s: float, sleep: Callable[[float], None]) -> Iterator[Finding]:
    met = _met(server, timeout_s)
    if len({model for _, model in met}) > 1:
        sleep(AGAIN_S)  # a promotion may be under way
        met = _met(server, timeout_s)
    versions, models = sorted({one for one, _ in met}), sorted({one for _, one in met})
    if not met:
        yield Finding(
            "server.versions", "fail", f"{server}/v1/about gives no answer", "see the log of the server"
        )
        return
    if versions == [__version__]:
        yield Finding("server.versions", "ok", f"leafsight {__version__}, as here")
    elif len(versions) == 1:
        yield Finding(
            "server.versions", "warn", f"leafsight {versions[0]}, and {__version__} is here",
            "bring both to one version",
        )  # fmt: skip
    else:
        yield Finding(
            "server.versions", "warn", f"its processes are of several versions: {', '.join(versions)}",
            "end the rolling update, or look for a replica that was left behind",
        )  # fmt: skip
    if len(models) == 1:
        said = f"{QUESTIONS} connections met the same model, {models[0][:SHORT_DIGITS]}"
        yield Finding("server.models", "ok", said)
    else:
        shorts = ", ".join(model[:SHORT_DIGITS] for model in models)
        yield Finding(
            "server.models", "fail", f"its processes serve different models: {shorts}",
            "see whether every replica reaches the same registry, and its log",
        )  # fmt: skip


def _met(server: str, timeout_s: float) -> list[tuple[str, str]]:
    """Version and model of whoever answered, one pair for each answer."""
    found = []
    for _ in range(QUESTIONS):
        try:
            value = ask(server, "/v1/about", timeout_s=timeout_s).value
        except LeafsightError:
            continue
        model = value.get("model")
        if isinstance(model, dict):
            found.append((str(value.get("version", "?")), str(model.get("id", "?"))))
    return found


def _admin(server: str, host: str, timeout_s: float) -> Finding:
    name = "server.admin_side"
    try:
        status = ask(server, "/metrics", timeout_s=timeout_s).status
    except LeafsightError as error:
        return of_error(name, error)
    if status != 200:
        return Finding(name, "ok", f"without a key, /metrics is not given away ({status})")
    if is_local(host):
        return Finding(name, "ok", "this computer needs no key; others are not served")
    return Finding(
        name, "fail", f"{server}/metrics is open to everybody who reaches it",
        "make a key (leafsight keys make NAME --scope admin), or set admin_port",
    )  # fmt: skip


def _key(server: str, host: str, key: str, timeout_s: float) -> Finding:
    name = "server.key"
    if not key.isascii() or not key.isprintable() or " " in key:
        return Finding(
            name, "fail", "the key has characters that no key has", "copy it again, without line breaks"
        )
    if server.startswith("http:") and not is_local(host):
        return Finding(name, "skipped", "the key is not sent over an open line", "use an https address")
    try:
        answer = ask(server, "/v1/load", timeout_s=timeout_s, key=key)
    except LeafsightError as error:
        return of_error(name, error)
    return _key_finding(name, answer)


def _key_finding(name: str, answer: Reply) -> Finding:
    if answer.status == 200:
        return Finding(name, "ok", "the key opens the admin side")
    if answer.status == 403:
        return Finding(name, "ok", "the key is valid, without the scope admin")
    if answer.status == 404:
        return Finding(
            name, "skipped", "the admin side has a port of its own, so the key cannot be tried here"
        )
    if answer.status == 401:
        todo = "leafsight keys ls shows which there are, leafsight keys make makes one"
        return Finding(name, "fail", "the key is not valid, or it was revoked", todo)
    return Finding(
        name, "warn", f"the key could not be tried: the server answers {answer.status}", "try again"
    )
