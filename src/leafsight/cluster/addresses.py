"""What may stand after ``--cluster``: a word or the address of a cluster's head.

Enters: text. Leaves: a checked address. It asks nobody whether something answers there.
"""

from __future__ import annotations

import re

from leafsight.errors import UsageError

AUTO, LOCAL = "auto", "local"
"""``auto`` joins the cluster that runs here, or is ``local``: one that lives as long as the command."""
_WORDS = (AUTO, LOCAL)
_HOST_PORT = re.compile(r"^(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):(?P<port>\d{1,5})$")
_CLIENT = "ray://"
_MOST_PORT = 65535


def is_address(word: str) -> bool:
    """Whether a word after ``--cluster`` names a cluster, and is not what the command works on."""
    return word in _WORDS or word.startswith(_CLIENT) or _HOST_PORT.match(word) is not None


def parse_address(word: str) -> str:
    """``word`` if it names a cluster that can be joined.

    Raises:
        UsageError: it does not, or only from outside (``ray://``), from where a command cannot see the
            machines' storage.
    """
    if word.startswith(_CLIENT):
        raise UsageError(
            f"{word} is a door for programs outside of the cluster; a command has to run inside of it",
            hint="run it on a machine of the cluster with --cluster auto, for example by 'ray job submit'",
        )
    found = _HOST_PORT.match(word)
    if word in _WORDS or (found is not None and 0 < int(found["port"]) <= _MOST_PORT):
        return word
    raise UsageError(
        f"'{word}' is no address of a cluster", hint="write auto, local or HOST:PORT, such as 10.0.0.5:6379"
    )


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of ``HOST:PORT``; the brackets of an IPv6 address are gone."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
