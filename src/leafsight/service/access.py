"""Who may ask: keys with scopes and allowances; without any key, this computer only.

Enters: a request's headers and address. Leaves: who it is, or the error that says why not. Keys are compared
in room ``state``, in constant time; here a verified one is remembered for a few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, urlsplit

from fastapi import Request

from leafsight.errors import AuthenticationError, ForbiddenError, NotFoundError, RateLimitError
from leafsight.service.admin_side import is_admin_side
from leafsight.service.guesses import Guesses

if TYPE_CHECKING:
    from leafsight.service.recording import Recorder
    from leafsight.state import KeyRecord, State

Scope = Literal["predict", "upload", "admin"]
REMEMBERED_S = 5.0
"""After this a revoked key is refused in every process."""
MOST_REMEMBERED = 1000
LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}
MAX_HOST = 300
FORWARDED = {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"}
"""A proxy on this computer has its address; these say that somebody is behind it."""
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
MAKE_ONE = "make one with: leafsight keys make NAME --scope predict"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        key: the key, or ``None`` for somebody at this computer while there are no keys.
    """

    key: KeyRecord | None

    @property
    def key_id(self) -> str | None:
        """Id of the key."""
        return self.key.id if self.key else None


class Access:
    """Checks callers of one process.

    Args:
        state: keeps the keys.
        recorder: the thread that may ask it.
        now: seconds of a clock that never goes back.
        now_ms: milliseconds of the clock on the wall, for allowances by minute and day.
        admin_apart: what wants the scope admin is answered on the admin side only.
        metrics_key: opens the counters and nothing else; empty opens nothing.
    """

    def __init__(
        self,
        state: State,
        recorder: Recorder,
        now: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        admin_apart: bool = False,
        metrics_key: str = "",
    ) -> None:
        self._state, self._recorder, self._now, self._now_ms = state, recorder, now, now_ms
        self._metrics_key = metrics_key.encode()
        self._known: dict[bytes, tuple[float, KeyRecord | None]] = {}
        self._any: tuple[float, bool] = (-REMEMBERED_S, True)
        self._guesses, self._admin_apart = Guesses(now), admin_apart

    async def caller(self, request: Request, scope: Scope) -> Caller:
        """Who asks, if they may.

        Raises:
            NotFoundError: this is asked for on the admin side only, and the request did not come there.
            AuthenticationError: no key, or not a valid one.
            ForbiddenError: the key has not this scope, or the request comes from somewhere else.
            RateLimitError: the key's allowance for this minute is used up, or too many keys from this address
                were not valid.
        """
        if scope == "admin":
            self._check_side(request)
        _refuse_other_sites(request)
        if not await self._has_keys():
            _refuse_strangers(request)
            return Caller(None)
        key = await self._key(request, _address(request))
        if scope not in key.scopes and "admin" not in key.scopes:
            raise ForbiddenError(
                f"the key {key.name!r} has not the scope {scope!r}", hint="ask the operator for another key"
            )
        request.scope["leafsight.key_id"] = key.id
        await self._count(key, "minute", 1, key.rate_per_minute)
        return Caller(key)

    async def reader_of_counters(self, request: Request) -> None:
        """Whoever may read ``/metrics``: sends the operator's key for it, or has the scope admin.

        The operator's key is not in the database: one that does not answer is seen in the counters.

        Raises:
            LeafsightError: as of ``caller``.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if (
            self._metrics_key
            and kind.lower() == "bearer"
            and compare_digest(token.encode(), self._metrics_key)
        ):
            self._check_side(request)
            return
        await self.caller(request, "admin")

    def _check_side(self, request: Request) -> None:
        """What is for those who run the service may be answered on the admin side only."""
        if self._admin_apart and not is_admin_side(request.scope):
            raise NotFoundError("this is not answered here", hint="ask on the admin side of the service")

    async def count_photographs(self, caller: Caller, photographs: int) -> None:
        """Take photographs off the day's allowance of the caller's key.

        Raises:
            RateLimitError: it is used up.
        """
        if caller.key is not None:
            await self._count(caller.key, "day", photographs, caller.key.photographs_per_day)

    async def _count(
        self, key: KeyRecord, window: Literal["minute", "day"], amount: int, allowed: int | None
    ) -> None:
        if allowed is None:
            return
        now_ms = self._now_ms()
        used = await self._recorder.do(lambda: self._state.usage.count(key.id, window, amount, now_ms))
        if used > allowed:
            length_s = 60 if window == "minute" else 86_400
            what = "requests a minute" if window == "minute" else "photographs a day"
            raise RateLimitError(
                f"the key {key.name!r} may send {allowed} {what}",
                hint="wait as Retry-After says",
                retry_after_s=length_s - now_ms / 1000 % length_s,
            )

    async def _has_keys(self) -> bool:
        asked, there = self._any
        if self._now() - asked > REMEMBERED_S:
            there = await self._recorder.do(self._state.keys.any)
            self._any = (self._now(), there)
        return there

    async def _key(self, request: Request, address: str) -> KeyRecord:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token or len(token) > 200:
            raise AuthenticationError(
                "this service wants a key", hint=f"send 'Authorization: Bearer ls_...'; {MAKE_ONE}"
            )
        print_ = sha256(token.encode()).digest()
        asked, key = self._known.get(print_, (-REMEMBERED_S, None))
        if key is None or self._now() - asked > REMEMBERED_S:
            # Whoever came with this key before is not held up by a neighbour who guesses.
            may_wait = print_ not in self._known
            self._known.pop(print_, None)
            key = await self._verified(token, address, may_wait=may_wait)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.pop(next(iter(self._known)))
            self._known[print_] = (self._now(), key)
        return key

    async def _verified(self, token: str, address: str, *, may_wait: bool) -> KeyRecord:
        """The key of a token, looked up in the database.

        Args:
            token: as it was sent.
            address: from where.
            may_wait: whether it may be told to come back when too many from there were not valid.
        """
        wait_s = self._guesses.take(address)
        if wait_s and may_wait:
            raise RateLimitError(
                "too many keys that came from this address are not valid",
                hint="wait as Retry-After says, and check the key",
                retry_after_s=wait_s,
            )
        try:
            key = await self._recorder.do(lambda: self._state.keys.verify(token))
        except BaseException:
            self._guesses.give_back(address)  # nobody knows whether it is valid
            raise
        if key is None:
            raise AuthenticationError("the key is not valid, or it was revoked", hint=MAKE_ONE)
        if not wait_s:
            self._guesses.give_back(address)
        return key


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _refuse_strangers(request: Request) -> None:
    """Without keys only this computer is served, and only under its own names.

    The name is looked at because a page of another site can make its own name point here (DNS rebinding).
    """
    through_proxy = any(name in FORWARDED for name, _ in request.scope["headers"])
    host = request.headers.get("host", "")
    if through_proxy or len(host) > MAX_HOST or not _is_own(_address(request), host):
        raise ForbiddenError("without keys the service answers this computer only", hint=MAKE_ONE)


@lru_cache(maxsize=256)
def _is_own(address: str, host: str) -> bool:
    """Whether somebody at this computer calls it by one of its own names."""
    return _is_local(address) and _split(f"//{host}").hostname in LOCAL_NAMES


def _refuse_other_sites(request: Request) -> None:
    """A page of another site may make a browser send a form here; browsers say so in ``Origin``."""
    origin = request.headers.get("origin")
    own = request.headers.get("host", "")
    if request.method in UNSAFE and origin is not None and _split(origin).netloc != own:
        raise ForbiddenError(f"pages of {origin[:100]!r} may not use this service")


def _split(address: str) -> SplitResult:
    """Its parts; none when it is no address at all."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _is_local(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
