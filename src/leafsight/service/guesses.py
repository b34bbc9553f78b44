"""Slows down who tries keys that are not valid, by the address that they come from.

Enters: an address and that a key is about to be looked up. Leaves: whether it may be, or how long to wait. It
does not know keys. What is kept is bounded: of very many addresses the ones that tried longest ago are
forgotten first.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

TRIES = 10
"""Wrong keys from one address before it has to wait."""
ONE_MORE_S = 6.0
"""After this there is one more try: ten in a minute."""
MOST_ADDRESSES = 10_000
NETWORK_BITS = 64
"""Of an IPv6 address: one customer has a /64 or more (RFC 6177), so that the rest costs nothing to change."""


class Guesses:
    """A bucket of tries for each address; used from the event loop.

    Args:
        now: seconds of a clock that never goes back.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> float:
        """Take a try before the key is looked up, so that many at once are bounded too.

        Returns:
            0, or the seconds after which there is one.
        """
        place = neighbourhood(address)
        left = self._tries(place)
        if left < 1:
            return (1 - left) * ONE_MORE_S
        self._keep(place, left - 1)
        return 0.0

    def give_back(self, address: str) -> None:
        """The key was valid, or could not be looked up: that was no wrong try."""
        place = neighbourhood(address)
        self._keep(place, self._tries(place) + 1)

    def _tries(self, place: str) -> float:
        left, at = self._left.get(place, (float(TRIES), self._now()))
        return min(float(TRIES), left + (self._now() - at) / ONE_MORE_S)

    def _keep(self, place: str, left: float) -> None:
        self._left.pop(place, None)
        if left >= TRIES:
            return
        self._left[place] = (left, self._now())
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)


def neighbourhood(address: str) -> str:
    """What counts as one address: an IPv4 address, also inside IPv6; of IPv6 the network."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((found, NETWORK_BITS), strict=False))
    return str(found)
