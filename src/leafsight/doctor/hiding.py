"""What no finding may show: passwords in addresses, keys, other secrets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote

from leafsight.doctor.findings import Finding

HIDDEN = "(hidden)"
SHORTEST_CHARACTERS = 6
"""A shorter secret could be a part of any word."""
COMMON = frozenset({"leafsight", "postgres", "postgresql", "password", "database", "service"})
"""Secrets of examples; hiding them would take the word out of every sentence, and betray it."""

_USER_INFO = re.compile(r"(?<=://)[^/@\s?#]+(?=@)")
_QUERY_SECRET = re.compile(r"(?i)((?:password|passwd|secret|token|key)[a-z_]*=)(?!(?:yes|no)\b)[^&\s'\"]+")
_KEY = re.compile(r"ls_[0-9a-f]{8,}_[0-9a-f]{8,}")


def without_secrets(finding: Finding, secrets: Sequence[str] = ()) -> Finding:
    """The same finding, with nothing in it that opens anything.

    Args:
        finding: any.
        secrets: texts that are known to be secret.
    """
    return replace(finding, said=_hidden(finding.said, secrets), todo=_hidden(finding.todo, secrets))


def password_in(url: str) -> tuple[str, ...]:
    """The password in an address, as it is written there and as it is meant; none where there is none."""
    info = url.partition("://")[2].rpartition("@")[0]
    written = [info.partition(":")[2], *re.findall(r"(?i)(?:[?&]password=)([^&]+)", url)]
    return tuple({text for one in written if one for text in (one, unquote(one))})


def _hidden(text: str, secrets: Sequence[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_CHARACTERS and secret not in COMMON:
            text = text.replace(secret, HIDDEN)
    text = _USER_INFO.sub(lambda found: _without_password(found[0]), text)
    return _QUERY_SECRET.sub(rf"\1{HIDDEN}", _KEY.sub(HIDDEN, text))


def _without_password(info: str) -> str:
    user, colon, _ = info.partition(":")
    return f"{user}:***" if colon else user
