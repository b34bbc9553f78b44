"""A queueing model of the service in containers that get a share of a processor: who waits, who is refused.

Each replica is one server (one process, one thread of inference). A request needs some seconds of processor
time; in each period of 100 ms the kernel lets a container run for its share of that, and then not until the
next (CFS bandwidth control: https://docs.kernel.org/scheduler/sched-bwc.html). Callers come at random
(Poisson) and go to the replicas in turn. A replica refuses as ``service/working.py`` does: when those who
wait and the next, at the running mean of the time a photograph took, fill half of the deadline.

What it does not know: what a refusal costs, that two threads of one container may run at once, that small
photographs are worked on together, other containers on the same processors, the database, and the network.
``check.py`` holds it against a load study.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PERIOD_S = 0.1
FILLED, WEIGHT = 0.5, 0.1
"""As the service has them: share of the deadline that is filled, weight of the newest in the running mean."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What requests of one kind need.

    Attributes:
        share: of all requests, 0 to 1.
        cpu_s: seconds of processor time of each.
        spread: standard deviation of it, as a share of the mean.
    """

    share: float
    cpu_s: float
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says of one rate.

    Attributes:
        p50_s, p95_s, p99_s: of the accepted, NaN when there were none.
        mean_s: of the accepted.
        refused: share of all.
        busy: share of the processor time allowed that is used.
    """

    p50_s: float
    p95_s: float
    p99_s: float
    mean_s: float
    refused: float
    busy: float


def mean_cpu_s(demands: Sequence[Demand]) -> float:
    """Processor time of a request of the mix, in seconds."""
    return sum(one.share * one.cpu_s for one in demands) / sum(one.share for one in demands)


def waiting_s(demands: Sequence[Demand], rate: float, cpus: float) -> float:
    """Mean time before service in an M/G/1 queue whose server is ``cpus`` as fast as a processor.

    Pollaczek and Khinchine: rate * E[S^2] / (2 * (1 - rate * E[S])). Infinite at and above the capacity.
    """
    total = sum(one.share for one in demands)
    mean = mean_cpu_s(demands) / cpus
    square = sum(one.share / total * (1 + one.spread**2) * (one.cpu_s / cpus) ** 2 for one in demands)
    used = rate * mean
    return math.inf if used >= 1 else rate * square / (2 * (1 - used))


def drawn_cpu_s(demands: Sequence[Demand], requests: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Processor time of so many requests, log-normal within each kind."""
    shares = np.array([one.share for one in demands], dtype=float)
    kind = rng.choice(len(demands), size=requests, p=shares / shares.sum())
    spread = np.array([one.spread for one in demands])[kind]
    sigma = np.sqrt(np.log1p(spread**2))
    mean = np.array([one.cpu_s for one in demands])[kind]
    return np.asarray(mean * np.exp(rng.normal(size=requests) * sigma - sigma**2 / 2))


class Quota:
    """One processor that may be used for ``cpus`` of each period; what is not used goes with the period."""

    def __init__(self, cpus: float, period_s: float = PERIOD_S) -> None:
        self._allowed_s, self._period_s = min(cpus, 1.0) * period_s, period_s
        self._period, self._used_s = -1, 0.0

    def finish(self, begun_s: float, cpu_s: float) -> float:
        """When work that begins then is done; later work begins no earlier than that."""
        now, left = begun_s, cpu_s
        period = math.floor(begun_s / self._period_s)
        if period > self._period:
            self._period, self._used_s = period, 0.0
        while True:
            ends = (self._period + 1) * self._period_s
            may = max(0.0, min(self._allowed_s - self._used_s, ends - now))
            if left <= may + 1e-12:
                self._used_s += left
                return now + left
            left -= may
            now = ends
            self._period, self._used_s = self._period + 1, 0.0


class Replica:
    """One container: its quota, its line, and what it believes that a photograph takes.

    Args:
        cpus: share of a processor that it may use.
        deadline_s: half of it is filled.
        guess_s: what it believes at first.
    """

    def __init__(self, cpus: float, deadline_s: float, guess_s: float) -> None:
        self._quota, self._fills_s, self._each_s = Quota(cpus), deadline_s * FILLED, guess_s
        self._free_s = 0.0
        self._under_way: deque[tuple[float, float]] = deque()

    def ask(self, now_s: float, cpu_s: float) -> float | None:
        """When a request that comes now is answered; None where it is refused."""
        while self._under_way and self._under_way[0][0] <= now_s:
            _, worked_s = self._under_way.popleft()
            self._each_s += WEIGHT * (worked_s - self._each_s)
        pending = len(self._under_way)
        if pending and (pending + 1) * self._each_s > self._fills_s:
            return None
        begun_s = max(now_s, self._free_s)
        self._free_s = self._quota.finish(begun_s, cpu_s)
        self._under_way.append((self._free_s, self._free_s - begun_s))
        return self._free_s


def simulate(
    demands: Sequence[Demand],
    *,
    rate: float,
    replicas: int,
    cpus: float,
    deadline_s: float = 2.0,
    more_s: float = 0.0,
    requests: int = 40_000,
    seed: int = 0,
) -> Answer:
    """What callers would see.

    Args:
        demands: what requests need.
        rate: requests a second, at all replicas together.
        replicas: containers, asked in turn.
        cpus: share of a processor that each may use.
        deadline_s: half of it may be filled by those who wait.
        more_s: time of an answer that needs no processor of the container: network, proxy, database.
        requests: that are simulated; the first tenth fills the queues and is not counted.
        seed: of what is drawn.
    """
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.exponential(1 / rate, requests))
    needs = drawn_cpu_s(demands, requests, rng)
    asked = [Replica(cpus, deadline_s, mean_cpu_s(demands) / cpus) for _ in range(replicas)]
    took: list[float] = []
    refused = worked_s = 0.0
    from_there = requests // 10
    for number in range(requests):
        now = float(at[number])
        done_s = asked[number % replicas].ask(now, float(needs[number]))
        if number < from_there:
            continue
        if done_s is None:
            refused += 1
        else:
            took.append(done_s - now + more_s)
            worked_s += float(needs[number])
    counted = requests - from_there
    lasted = float(at[-1] - at[from_there])
    return Answer(
        *(float(np.quantile(took, one)) if took else math.nan for one in (0.5, 0.95, 0.99)),
        mean_s=float(np.mean(took)) if took else math.nan,
        refused=refused / counted,
        busy=worked_s / (lasted * replicas * cpus),
    )


def highest_rate(
    demands: Sequence[Demand],
    *,
    replicas: int,
    cpus: float,
    p99_s: float,
    most_refused: float = 0.001,
    seed: int = 0,
) -> float:
    """The highest rate at which the p99 holds and next to nobody is refused, within one percent."""
    low, high = 0.0, replicas * cpus / mean_cpu_s(demands)
    while high - low > 0.01 * high:
        middle = (low + high) / 2
        told = simulate(demands, rate=middle, replicas=replicas, cpus=cpus, seed=seed)
        holds = told.p99_s <= p99_s and told.refused <= most_refused
        low, high = (middle, high) if holds else (low, middle)
    return low
