"""What comes back: a reply, or the reason why there is none; and JSON read without trust.

Enters: status, headers and bytes. Leaves: plain values in which every text can be shown. It does not know
what the values mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from leafsight.errors import RemoteError

# What a terminal would obey, and halves of characters that no stream can carry. Tab and line break stay.
UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
REPLACEMENT = "\ufffd"
MAX_DEPTH = 64
NO_SERVER_HINT = "check that the address is that of a leafsight server, and what stands between you and it"

FailureKind = Literal["unreachable", "timeout", "broken", "refused"]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer.

    Attributes:
        status: such as 200.
        headers: names in small letters.
        body: all of it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def media_type(self) -> str:
        """Such as ``application/json``; empty when not told."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no whole answer.

    Attributes:
        kind: ``unreachable`` (nothing was sent), ``timeout``, ``broken`` (the line was cut in the middle), or
            ``refused`` (by us: what came is not wanted, and would not be better a second time).
        message: one sentence.
        hint: one sentence.
    """

    kind: FailureKind
    message: str
    hint: str = ""


Outcome = Reply | Failure


def read_json(reply: Reply) -> Any:
    """The JSON of a reply as plain values.

    Raises:
        RemoteError: another type than JSON, not JSON, NaN or infinite, or nested too deeply.
    """
    kind = reply.media_type
    if kind != "application/json" and not kind.endswith("+json"):
        found = shown(reply.headers.get("content-type", "")) or "something without a type"
        raise RemoteError(
            f"the server answered {reply.status} with {found} instead of JSON", hint=NO_SERVER_HINT
        )
    return parse_json(reply.body)


def parse_json(text: bytes) -> Any:
    """JSON as plain values with showable texts.

    Raises:
        RemoteError: not JSON, NaN or infinite, or nested more than ``MAX_DEPTH`` deep.
    """
    try:
        return _showable(
            json.loads(text.decode("utf-8"), parse_constant=_refuse, parse_float=_finite), MAX_DEPTH
        )
    except (ValueError, RecursionError) as error:
        raise RemoteError(
            f"the server's answer is not JSON that can be read: {shown(str(error))}", hint=NO_SERVER_HINT
        ) from error


def shown(text: str, most: int = 200) -> str:
    """A text of the server made fit for a terminal: one line, not too long, nothing that a terminal obeys."""
    signs = (
        sign if sign.isprintable() else " " if sign.isspace() else REPLACEMENT for sign in text[: 2 * most]
    )
    line = "".join(signs).strip()
    return line if len(line) <= most else line[: most - 1] + "…"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return value


def _showable(value: Any, depth: int) -> Any:
    if depth < 0:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        return UNSHOWABLE.sub(REPLACEMENT, value) if UNSHOWABLE.search(value) else value
    if isinstance(value, list):
        return [_showable(one, depth - 1) for one in value]
    if isinstance(value, dict):
        return {_showable(key, 0): _showable(one, depth - 1) for key, one in value.items()}
    return value
