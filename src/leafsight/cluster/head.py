"""Whether the head of a cluster is still there.

Enters: its address. Leaves: nothing, or an error once it was away for some time. Ray itself waits for a
minute and then ends the process without a word of ours (2.60).
"""

from __future__ import annotations

import socket
import time

from leafsight.cluster.addresses import host_and_port
from leafsight.errors import ClusterError

EVERY_S = 5.0
ANSWER_S = 2.0
GONE_S = 20.0
"""A head that is started again keeps its workers if it is there before this."""


class HeadWatch:
    """Asks now and then whether somebody listens there.

    Args:
        address: ``HOST:PORT``.
        gone_s: for how long it may be away.
    """

    def __init__(self, address: str, *, gone_s: float = GONE_S) -> None:
        self._address, self._gone_s = address, gone_s
        self._there_s = self._asked_s = time.monotonic()

    def look(self) -> None:
        """Costs nothing until it is time to ask again.

        Raises:
            ClusterError: it is away for too long.
        """
        now_s = time.monotonic()
        if now_s - self._asked_s < min(EVERY_S, self._gone_s):
            return
        if now_s - self._asked_s > self._gone_s + EVERY_S:
            self._there_s = now_s  # this process itself was stopped meanwhile
        self._asked_s = now_s
        if self._answers():
            self._there_s = now_s
        elif now_s - self._there_s >= self._gone_s:
            raise ClusterError(
                f"the head of the cluster {self._address} is gone",
                hint="start it again, then run the command again: what was finished is kept",
            )

    def _answers(self) -> bool:
        try:
            with socket.create_connection(host_and_port(self._address), timeout=ANSWER_S):
                return True
        except OSError:
            return False
