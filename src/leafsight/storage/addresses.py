"""Which addresses are followed, and with what: http and https only, at the start and after every redirect."""

from __future__ import annotations

import urllib.parse
import urllib.request
from http.client import HTTPMessage
from typing import Any

from leafsight.errors import UsageError

AGENT = "leafsight"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def check_address(url: str, *, secret: bool = False) -> None:
    """Refuse what is not to be followed.

    Args:
        url: an address.
        secret: a password goes with it, so that only https (or this machine) will do.

    Raises:
        UsageError: not http or https, no host, or a secret on an open line.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"cannot download from {url}", hint="only http and https addresses are followed")
    if secret and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise UsageError(f"will not send a password to {url}", hint="use an https address")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """urllib alone would follow a redirect to ftp, and one from https to http."""

    def __init__(self, *, may_become_plain: bool) -> None:
        self._may_become_plain = may_become_plain

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: Any,
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            check_address(newurl)
            if not self._may_become_plain and req.type == "https" and newurl.startswith("http:"):
                raise UsageError(
                    f"cannot download from {newurl}: {req.full_url} leads from https to http",
                    hint="only a file whose SHA-256 is known may come over an open line",
                )
        except UsageError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def opener(*, may_become_plain: bool) -> urllib.request.OpenerDirector:
    """What opens an address, through the proxies of the environment (``https_proxy``, ``no_proxy``).

    Args:
        may_become_plain: a redirect from https to http is followed; right only where a hash is checked.
    """
    return urllib.request.build_opener(_Redirects(may_become_plain=may_become_plain))


def request_for(url: str, authorization: str | None) -> urllib.request.Request:
    """A GET; the password is for the first host alone and does not travel along redirects."""
    request = urllib.request.Request(url, headers={"User-Agent": AGENT})  # noqa: S310 (checked above)
    if authorization:
        request.add_unredirected_header("Authorization", authorization)
    return request
