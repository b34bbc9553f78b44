"""What no server can beat: p99 over the time of a lone request, when callers come at random.

    python -m benchmarks.serve.queues --share 0.7 --servers 2

Callers come one by one (Poisson), each request takes exactly one unit of time, nothing else costs anything.
Once with one queue before all processors; once with a queue of its own before each, among which callers
choose at random; once so, but that whoever meets a shorter queue elsewhere goes there. The seed is fixed.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math

import numpy as np


def p99(share: float, servers: int, requests: int, rng: np.random.Generator) -> float:
    """Of waiting and working, in units of one request's time."""
    arrivals = np.cumsum(rng.exponential(1 / (share * servers), requests))
    free = [0.0] * servers
    took = np.empty(requests)
    for number, at in enumerate(arrivals):
        began = max(float(at), heapq.heappop(free))
        heapq.heappush(free, began + 1.0)
        took[number] = began + 1.0 - at
    return float(np.quantile(took, 0.99))


def p99_of_shortest(share: float, servers: int, requests: int, rng: np.random.Generator) -> float:
    """The same when each goes from the queue that it came to, at random, to a shorter one."""
    arrivals = np.cumsum(rng.exponential(1 / (share * servers), requests))
    first = rng.integers(0, servers, requests)
    free = [0.0] * servers
    took = np.empty(requests)
    for number, (at, came_to) in enumerate(zip(arrivals.tolist(), first.tolist(), strict=True)):
        there = [max(0, math.ceil(until - at)) for until in free]
        least = min(there)
        queue = came_to if there[came_to] == least else there.index(least)
        free[queue] = max(at, free[queue]) + 1.0
        took[number] = free[queue] - at
    return float(np.quantile(took, 0.99))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--share", type=float, default=0.7, help="of the capacity that is asked for")
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    drawn = np.random.default_rng(options.seed)
    found = {
        "one_queue": round(p99(options.share, options.servers, options.requests, drawn), 2),
        "a_queue_each": round(p99(options.share, 1, options.requests, drawn), 2),
        "shortest_of_all": round(p99_of_shortest(options.share, options.servers, options.requests, drawn), 2),
    }
    print(json.dumps(found))
