"""Into a cluster and out again: joined, or started for as long as a command runs.

Enters: options. Leaves: a ``Cluster`` of whose machines something is known. Nothing here waits without a
limit: Ray itself asks a dead address for five minutes and then ends the process (2.60), so it is first asked
whether anything answers there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ray
from ray._private import worker as rays_worker

from leafsight.cluster.addresses import AUTO, LOCAL, host_and_port, parse_address
from leafsight.cluster.options import ClusterOptions
from leafsight.errors import ClusterError
from leafsight.progress import Progress, Silent
from leafsight.storage import available_cores

PROBE = "import sys, ray; ray.init(address=sys.argv[1], log_to_driver=False, logging_level='ERROR')"
QUIETLY: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
LEAST_PROBE_S = 15.0
"""Loading Ray takes seconds on a busy machine."""
MOST_SAID = 300
NO_KEY = "uthenticat"
ADDRESS_IN_ENVIRONMENT = "RAY_ADDRESS"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that this process is in.

    Attributes:
        address: of its head, ``HOST:PORT``.
        options: as asked for.
        is_ours: it was started here, and ends with this command.
        machines: how many are alive.
        cpus: of all of them.
        gpus: of all of them.
    """

    address: str
    options: ClusterOptions
    is_ours: bool
    machines: int
    cpus: int
    gpus: int

    @property
    def workers(self) -> int:
        """How many workers there are to be."""
        options = self.options
        if options.workers:
            return options.workers
        by_gpu = self.gpus // options.gpus_per_worker if options.gpus_per_worker else self.cpus
        return max(1, min(self.cpus // options.cpus_per_worker, by_gpu))

    def require_room(self) -> None:
        """Refuse before anything waits for machines that are not there.

        Raises:
            ClusterError: the cluster is smaller than the workers that were asked for.
        """
        options, workers = self.options, self.workers
        for what, has, each in (
            ("processors", self.cpus, options.cpus_per_worker),
            ("GPUs", self.gpus, options.gpus_per_worker),
        ):
            if workers * each > has:
                raise ClusterError(
                    f"{workers} workers need {workers * each} {what}; the cluster {self.address} has {has}",
                    hint="ask for fewer workers, or add machines to the cluster",
                )


@contextlib.contextmanager
def connected(options: ClusterOptions, *, progress: Progress | None = None) -> Iterator[Cluster]:
    """Be in a cluster inside the block.

    Args:
        options: ``auto`` takes that of ``RAY_ADDRESS``, else the one that runs here, else starts one.
        progress: told while a cluster starts.

    Raises:
        UsageError: no address.
        ClusterError: nothing answers there in time, or another version of Ray or Python does.
    """
    address = parse_address(options.address)
    if address == AUTO:
        address = _named_or_running() or LOCAL
    with _without_rays_talk():
        if address == LOCAL:
            _start(options, progress or Silent())
        else:
            _join(address, options.connect_s)
        try:
            yield _as_it_is(options, is_ours=address == LOCAL)
        finally:
            ray.shutdown()


def require_running(word: str) -> str:
    """The address of a cluster that is there; none is started for ``auto``.

    Raises:
        UsageError: no address.
        ClusterError: ``auto`` finds none.
    """
    address = parse_address(word)
    found = _named_or_running() if address == AUTO else address
    if not found or found == LOCAL:
        raise ClusterError("no cluster runs on this machine", hint="start one with 'leafsight cluster up'")
    return found


def _named_or_running() -> str | None:
    """The cluster that the environment names, else the one that runs here."""
    named = os.environ.get(ADDRESS_IN_ENVIRONMENT, "")
    return parse_address(named) if named not in ("", AUTO) else _running_here()


def _running_here() -> str | None:
    """The address of a cluster that runs on this machine, if one answers."""
    from ray._private.services import find_gcs_addresses

    for address in sorted(find_gcs_addresses()):
        host, port = host_and_port(address)
        if _answers(host, port, 1.0):
            return str(address)
    return None


def _start(options: ClusterOptions, progress: Progress) -> None:
    cpus = options.workers * options.cpus_per_worker or available_cores()
    progress.start(f"starting a cluster of {cpus} processes on this machine")
    # Someone else's address in the environment would win over what was asked for.
    os.environ.pop(ADDRESS_IN_ENVIRONMENT, None)
    try:
        ray.init(address=LOCAL, num_cpus=cpus, include_dashboard=False, **QUIETLY)
    except (RuntimeError, OSError, ConnectionError) as error:
        raise ClusterError(f"no cluster could be started here: {_first_line(error)}") from error
    progress.finish()


def _join(address: str, limit_s: float) -> None:
    host, port = host_and_port(address)
    if not _answers(host, port, limit_s):
        raise ClusterError(
            f"no cluster answers at {address}",
            hint="does its head run, and can its port be reached? 'leafsight cluster up' starts one here",
        )
    _require_ray(address, limit_s)
    try:
        ray.init(address=address, **QUIETLY)
    except (RuntimeError, OSError, ValueError) as error:
        raise _not_joined(address, str(error)) from error


def _answers(host: str, port: int, limit_s: float) -> bool:
    try:
        with socket.create_connection((host, port), timeout=limit_s):
            return True
    except OSError:
        return False


def _require_ray(address: str, limit_s: float) -> None:
    """Join in another process first: the library's own wait has no limit of ours.

    Raises:
        ClusterError: something else is there, its key or versions are others, or it does not answer in time.
    """
    words = [sys.executable, "-c", PROBE, address]
    limit_s = max(limit_s, LEAST_PROBE_S)
    try:
        done = subprocess.run(words, capture_output=True, timeout=limit_s, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        said = (error.stderr or b"").decode("utf-8", "replace")
        if NO_KEY in said:
            raise _not_joined(address, said) from None
        raise ClusterError(
            f"what answers at {address} was no head of a Ray cluster after {limit_s:.0f} s",
            hint="name the port of the head, 6379 unless it was started with another",
        ) from None
    if done.returncode != 0:
        raise _not_joined(address, done.stderr.decode("utf-8", "replace"))


def _not_joined(address: str, said: str) -> ClusterError:
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it ended without a word"]
    if "ersion mismatch" in said:
        told = " ".join(said[said.index("ersion mismatch") - 1 :].split())[:MOST_SAID]
        return ClusterError(
            f"the cluster at {address} runs other versions of Ray or Python: {told}",
            hint="use the same Python, and by 'pip install ray==VERSION' the same Ray, on all machines",
        )
    if NO_KEY in said:
        return ClusterError(
            f"the cluster at {address} has another key than this machine",
            hint="copy ~/.ray/auth_token from its head, or set RAY_AUTH_TOKEN",
        )
    return ClusterError(f"the cluster at {address} cannot be joined: {lines[-1][:MOST_SAID]}")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _as_it_is(options: ClusterOptions, *, is_ours: bool) -> Cluster:
    alive = [node for node in ray.nodes() if node["Alive"]]
    total = ray.cluster_resources()
    return Cluster(
        address=ray.get_runtime_context().gcs_address,
        options=options,
        is_ours=is_ours,
        machines=len(alive),
        cpus=int(total.get("CPU", 0)),
        gpus=int(total.get("GPU", 0)),
    )


@contextlib.contextmanager
def _without_rays_talk() -> Iterator[None]:
    """What matters is said by us; Ray's own lines speak to programmers."""
    logger = logging.getLogger("ray")
    level, tell = logger.level, rays_worker.print_to_stdstream
    logger.setLevel(logging.CRITICAL)
    # Of a lost worker it tells on stdout whatever is asked for (2.60), in the middle of a result.
    rays_worker.print_to_stdstream = _say_nothing
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"ray(\.|$)")
        warnings.filterwarnings("ignore", category=FutureWarning, message=".*(?i:ray|accelerator).*")
        try:
            yield
        finally:
            logger.setLevel(level)
            rays_worker.print_to_stdstream = tell


def _say_nothing(*_: object, **__: object) -> None:
    """In the place of what would write."""
