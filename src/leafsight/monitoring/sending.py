"""Sending what waits in the outbox to one address, until it was taken.

Enters: the database and an address that the operator chose. Leaves: requests ``POST`` with one alert each as
JSON; an alert that was not taken is tried again later, after a restart too. It does not know what happened.

An alert may arrive twice, with the same ``id``: when the process is killed between sending it and writing
that down, which cannot be told from the other order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from leafsight import __version__
from leafsight.errors import LeafsightError, RemoteError, UsageError
from leafsight.monitoring.alerting import OUTBOX, fitting, plain_alert
from leafsight.monitoring.marks import Value, change_mark
from leafsight.storage import canonical_json

if TYPE_CHECKING:
    from leafsight.state import State

Post = Callable[[str, bytes], None]
TIMEOUT_S = 5.0
AT_ONCE = 5
"""In one call: at most 25 seconds when nobody answers."""
FIRST_AGAIN_MS, LAST_AGAIN_MS = 60_000, 3_600_000
MOST_READ_BYTES = 1024
LOG = logging.getLogger("leafsight.monitoring")


class _NoRedirects(HTTPRedirectHandler):
    """The operator named one address; nobody else may name another."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def check_alert_url(url: str) -> str:
    """``url`` if alerts can be sent there; empty sends none.

    Raises:
        UsageError: it is no address of http or https.
    """
    try:
        parts = urlsplit(url)
        usable = not url or (parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f"alerts cannot be sent to {url[:200]!r}", hint="name an address such as https://host/hook"
        )
    return url


def post_json(url: str, body: bytes) -> None:
    """Send one body; whatever is answered beside 2xx is a refusal.

    Raises:
        RemoteError: it was not taken: no connection, no answer within 5 s, a redirect, another status.
        UsageError: see ``check_alert_url``.
    """
    check_alert_url(url)
    failed: list[Exception] = []
    done = threading.Event()

    def work() -> None:
        try:
            _post(url, body)
        except (OSError, ValueError, HTTPException) as error:
            failed.append(error)
        finally:
            done.set()

    # A thread of its own: the time-out of a socket starts anew with each byte of a slow answer.
    threading.Thread(target=work, name="alert", daemon=True).start()
    if not done.wait(2 * TIMEOUT_S):
        raise RemoteError("the alert was not taken: no whole answer in time", hint="see alert_url")
    if failed:
        why = getattr(failed[0], "reason", None) or failed[0]
        raise RemoteError(f"the alert was not taken: {why}", hint="see alert_url") from failed[0]


def _post(url: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": f"leafsight/{__version__}"}
    request = Request(url, data=body, headers=headers, method="POST")  # noqa: S310 (checked)
    try:
        with build_opener(_NoRedirects).open(request, timeout=TIMEOUT_S) as answer:
            answer.read(MOST_READ_BYTES)
    except HTTPError as error:
        error.close()
        raise


def send_alerts(state: State, url: str, *, now_ms: int, post: Post = post_json) -> int:
    """Send what is due; how many were taken.

    Args:
        state: the database.
        url: where to; empty keeps alerts for those who look, and sends none later.
        now_ms: the clock.
        post: sends a body to an address.

    Raises:
        StateBusyError, StateError: the database does not answer; what was sent meanwhile is sent again.
    """
    outbox = state.marks.get(OUTBOX) or {}
    taken = 0
    for one in list(outbox.get("waiting", [])):
        if taken >= AT_ONCE or (url and one["not_before_ms"] > now_ms):
            continue
        if not url:
            _move(state, one["id"], {"sent_ms": None})
        elif _claim(state, one["id"], now_ms):
            taken += _send(state, one, url, now_ms, post)
    return taken


def _claim(state: State, alert_id: str, now_ms: int) -> bool:
    """Whether it is ours to send: not while another process does, nor before its time."""

    def claim(outbox: Value) -> Value | None:
        waiting = [dict(one) for one in outbox.get("waiting", [])]
        for one in waiting:
            if one["id"] == alert_id and one["not_before_ms"] <= now_ms:
                one["tries"] += 1
                one["not_before_ms"] = now_ms + min(FIRST_AGAIN_MS << min(one["tries"] - 1, 6), LAST_AGAIN_MS)
                return {**outbox, "waiting": waiting}
        return None

    return change_mark(state, OUTBOX, claim)[1]


def _send(state: State, one: Mapping[str, Any], url: str, now_ms: int, post: Post) -> bool:
    try:
        post(url, canonical_json(plain_alert(one)).encode())
    except LeafsightError as error:
        fields = {"alert": one["id"], "kind": one["kind"], "reason": error.message}
        LOG.warning("an alert was not taken", extra={"fields": fields})
        return False
    _move(state, one["id"], {"sent_ms": now_ms})
    return True


def _move(state: State, alert_id: str, about: Mapping[str, Any]) -> None:
    """From those that wait to those that were sent."""

    def change(outbox: Value) -> Value | None:
        waiting = outbox.get("waiting", [])
        ours = [{**plain_alert(one), **about} for one in waiting if one["id"] == alert_id]
        if not ours:
            return None
        left = [one for one in waiting if one["id"] != alert_id]
        return fitting(outbox, left, [*outbox.get("sent", []), *ours])

    change_mark(state, OUTBOX, change)
