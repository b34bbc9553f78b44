"""One retraining as a process: ``python -m leafsight.retraining.program``.

Enters: an order, as JSON in the environment variable ``LEAFSIGHT_RETRAINING`` (addresses hold passwords, and
everybody on a machine may read the words of a command), some of it perhaps as words. Leaves: the result as
JSON on standard output, progress on standard error; "error:" and "hint:" there and status 1 when it failed.
It ends with who started it, takes half of the cores, and is the first to go when memory runs out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.errors import DiskFullError, LeafsightError
from leafsight.retraining.failing import StepFailedError
from leafsight.retraining.order import Order, order_from, values_of
from leafsight.retraining.patience import patiently
from leafsight.retraining.telling import Telling
from leafsight.storage import mind

if TYPE_CHECKING:
    from leafsight.retraining.workplace import Workplace
    from leafsight.state import State

ORDER = "LEAFSIGHT_RETRAINING"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
NICE = 15
FIRST_TO_GO = "1000"
MEBIBYTE = 1024**2
MOST_FORGOTTEN = 50
SQLITE = "sqlite://"


def main(words: Sequence[str] | None = None) -> int:
    """Do what is asked for.

    Returns:
        0 when it came to an end, whatever the gate said; else 1.
    """
    try:
        order = read_order(words, os.environ.pop(ORDER, ""))
        behave(order)
        result = retrain(order, Telling(sys.stderr))
    except (LeafsightError, StepFailedError) as error:
        return _failed(error.message, error.hint)
    sys.stdout.write(json.dumps(result, allow_nan=False))
    sys.stdout.flush()
    return 0


def read_order(words: Sequence[str] | None, inherited: str) -> Order:
    """The order in the words of the command and in the environment; words count more.

    Raises:
        UsageError: it cannot be.
    """
    parser = argparse.ArgumentParser(prog="leafsight.retraining.program")
    parser.add_argument("--job")
    parser.add_argument("--database", dest="database_url")
    parser.add_argument("--blobs", dest="blob_url")
    parser.add_argument("--registry", dest="registry_dir")
    parser.add_argument("--work", dest="work_dir")
    parser.add_argument("--path", choices=["quick", "full"])
    parser.add_argument("--training-data", dest="training_data", action="append")
    parser.add_argument("--promote", choices=["auto", "ask"])
    parser.add_argument("--threads", type=int)
    given = {name: value for name, value in vars(parser.parse_args(words)).items() if value is not None}
    return order_from({**values_of(inherited), **given})


def behave(order: Order) -> None:
    """Stand behind everybody else: low priority, few threads, bounded memory, and gone when the parent is."""
    mind()
    for name in THREADS:
        os.environ[name] = str(order.threads)
    for name in [one for one in os.environ if one.startswith("DBOS_")]:
        del os.environ[name]  # nobody turns on by a variable what is turned off here
    if hasattr(os, "nice"):
        os.nice(NICE)
    if hasattr(os, "SCHED_IDLE"):  # Linux: whoever answers a request goes first at once, not some ms later
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
    if order.max_memory_mb:
        _bound_memory(order.max_memory_mb * MEBIBYTE)


def retrain(order: Order, telling: Telling) -> dict[str, Any]:
    """The result of the job.

    Raises:
        LeafsightError: it failed, now or in an earlier life.
    """
    from leafsight.registry import open_registry
    from leafsight.retraining.work_folder import open_work_folder
    from leafsight.retraining.workplace import Workplace
    from leafsight.state import open_blobs, open_objects, open_state

    folder = open_work_folder(order.work_dir, order.job)
    mirror = open_objects(order.registry_url) if order.registry_url else None
    registry = open_registry(order.registry_dir, mirror=mirror)
    state = patiently(lambda: open_state(order.database_url))
    with state:
        blobs = patiently(lambda: open_blobs(order.blob_url))
        place = Workplace(order, state, blobs, registry, folder, telling)
        return _worked(place)


def _worked(place: Workplace) -> dict[str, Any]:
    from leafsight.retraining import workflow
    from leafsight.retraining.work_folder import sweep

    state, order = place.state, place.order
    patiently(lambda: sweep(order.work_dir, lambda job: _over(state, job)))
    url = _steps_url(place)
    forgotten = [] if url.startswith(SQLITE) else patiently(lambda: _ended(state))
    try:
        return patiently(lambda: _unless_gone(state, lambda: workflow.run(place, url, forgotten)))
    except Exception as error:
        if "disk is full" in str(error) and not isinstance(error, StepFailedError):
            raise DiskFullError(
                "the disk is full", hint="make room, then begin another retraining"
            ) from error
        raise


def _unless_gone(state: State, do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """DBOS cannot begin without its database; whether that is so, ours can say in our words.

    Raises:
        StateBusyError: the database does not answer.
    """
    try:
        return do()
    except (LeafsightError, StepFailedError):
        raise
    except Exception:
        state.check()
        raise


def _steps_url(place: Workplace) -> str:
    """The service's own PostgreSQL, which any machine reaches; else a file in the folder of the job."""
    scheme, _, rest = place.order.database_url.partition("://")
    if scheme.startswith("sqlite"):
        return f"{SQLITE}/{place.folder.steps.absolute()}"
    return f"postgresql+psycopg://{rest}"


def _over(state: State, job: str) -> bool:
    """Whether nobody goes on with a job."""
    found = state.jobs.get(job)
    return found is None or found.state not in ("queued", "running")


def _ended(state: State) -> list[str]:
    newest = state.jobs.page(limit=MOST_FORGOTTEN, kind="retraining").records
    return [one.id for one in newest if one.state not in ("queued", "running")]


def _bound_memory(most_bytes: int) -> None:
    """More private memory than this is refused to the process; what is only mapped does not count."""
    import resource

    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))


def _failed(message: str, hint: str) -> int:
    for kind, words in (("error", message), ("hint", hint)):
        if words:
            sys.stderr.write(f"{kind}: {' '.join(words.split())}\n")
    sys.stderr.flush()
    return 1


if __name__ == "__main__":
    sys.exit(main())
