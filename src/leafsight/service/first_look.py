"""The model that shall be served, looked at once before the processes of a service start.

Enters: the options. Leaves: the model of a bucket in the folder beside it, and the certainty that it can be
read. The client of a bucket has threads. Processes that are forked later have them not, and each of their
requests would wait for ever: so a bucket is asked by a process that ends. Where this one may have asked a
bucket before, that process is not forked, either.
"""

from __future__ import annotations

import logging
import sys
from multiprocessing import get_context
from typing import Any

from leafsight.errors import LeafsightError, StorageError
from leafsight.service.options import ServiceOptions
from leafsight.service.registries import registry_of

PATIENCE_S, ENDING_S = 900.0, 5.0
"""A model that comes slowly is waited for, and nothing for ever."""


def look_at_model(options: ServiceOptions) -> None:
    """Fetch what a bucket names, if there is one, and read the model that the registry says serves.

    Raises:
        LeafsightError: what every process would stumble over: no such model, a damaged one, a bucket that was
            never reached.
    """
    if not options.registry_url:
        _look(options)
        return
    may_fork = sys.platform == "linux" and "obstore" not in sys.modules
    context: Any = get_context("fork" if may_fork else "spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_look_and_tell, args=(options, theirs), name="leafsight-first-look")
    process.start()
    theirs.close()
    trouble = _told(ours)
    process.join(ENDING_S)
    process.kill()  # it has said all that it will; where it has ended, this does nothing
    process.join()
    ours.close()
    if trouble is not None:
        raise trouble


def _told(ours: Any) -> LeafsightError | None:
    if not ours.poll(PATIENCE_S):
        return StorageError(
            f"the model did not come from its bucket within {PATIENCE_S:.0f} s",
            hint="try again when the bucket answers faster, or serve one file with --model",
        )
    try:
        told: LeafsightError | None = ours.recv()
    except EOFError:
        return StorageError(
            "the process that looks for the model ended without a word", hint="what it printed says why"
        )
    return told


def _look_and_tell(options: ServiceOptions, told: Any) -> None:
    # What a bucket refuses goes with the error; where the model is here already, each process says so itself.
    logging.disable(logging.WARNING)
    try:
        _look(options)
    except LeafsightError as error:  # a bug of ours is printed where it happens, and ends this process
        told.send(error)
    else:
        told.send(None)


def _look(options: ServiceOptions) -> None:
    from leafsight.registry import SERVING

    registry = registry_of(options).near
    registry.watch_token(SERVING)  # fetches what a bucket names
    registry.bundle(registry.get(SERVING))
