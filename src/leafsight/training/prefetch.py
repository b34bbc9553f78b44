"""Work done ahead in background threads, given out in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Made = TypeVar("Made")
DEPTH = 2


def prefetched(
    make: Callable[[Item], Made], items: Iterable[Item], *, depth: int = DEPTH, threads: int = 1
) -> Iterator[Made]:
    """``map(make, items)``, made up to ``depth`` items ahead in other threads.

    Behind a slow consumer one thread works, as each item taken starts one. A consumer that waits for items
    has ``depth`` threads at work. An exception of ``make`` comes out where its item would have. Closing the
    iterator waits for the items in work and drops the rest.

    Args:
        make: called in other threads, for up to ``depth`` items at a time, so what it gives may depend on the
            item only.
        items: drawn from in the caller's thread.
        depth: items that may lie ready or be in work.
        threads: of torch inside one ``make``; OpenMP counts them for each calling thread, so the trainer's
            own number is not touched.
    """
    waiting: deque[Future[Made]] = deque()
    remaining = iter(items)
    pool = ThreadPoolExecutor(
        depth, thread_name_prefix="batches", initializer=torch.set_num_threads, initargs=(threads,)
    )
    try:
        for item in remaining:
            waiting.append(pool.submit(make, item))
            if len(waiting) >= depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
