"""The model that shall be served, looked at once before the processes of a service start.

Enters: the options. Leaves: the model of a bucket in the folder beside it, and the certainty that it can be
read. The client of a bucket has threads. Processes that are forked later have them not, and each of their
requests would wait for ever: so a bucket is asked by a process that ends.
"""

from __future__ import annotations

import sys
from multiprocessing import get_context
from typing import Any

from leafsight.errors import LeafsightError, StorageError
from leafsight.service.options import ServiceOptions
from leafsight.service.registries import registry_of


def look_at_model(options: ServiceOptions) -> None:
    """Fetch what a bucket names, if there is one, and read the model that the registry says serves.

    Raises:
        LeafsightError: what every process would stumble over: no such model, a damaged one, a bucket that was
            never reached.
    """
    if not options.registry_url:
        _look(options)
        return
    context: Any = get_context("fork" if sys.platform == "linux" else "spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_look_and_tell, args=(options, theirs), name="leafsight-first-look")
    process.start()
    theirs.close()
    try:
        trouble = ours.recv()
    except EOFError:
        trouble = StorageError(
            "the process that looks for the model ended without a word", hint="what it printed says why"
        )
    process.join()
    ours.close()
    if trouble is not None:
        raise trouble


def _look_and_tell(options: ServiceOptions, told: Any) -> None:
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
