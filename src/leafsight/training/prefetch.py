"""Work done one step ahead in a background thread, in order."""

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
    """``map(make, items)``, made up to ``depth`` items ahead in one other thread.

    An exception of ``make`` comes out where its item would have. Closing the iterator waits for the item in
    work and drops the rest.

    Args:
        make: called in the other thread, one item at a time, in order.
        items: drawn from in the caller's thread.
        depth: items that may lie ready.
        threads: of torch inside ``make``; OpenMP counts them for each calling thread, so the trainer's own
            number is not touched.
    """
    waiting: deque[Future[Made]] = deque()
    remaining = iter(items)
    pool = ThreadPoolExecutor(
        1, thread_name_prefix="batches", initializer=torch.set_num_threads, initargs=(threads,)
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
