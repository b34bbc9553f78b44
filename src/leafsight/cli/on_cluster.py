"""What the verbs share that can work on a cluster: the options, and how ``--cluster`` reads its address."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.cluster import ClusterOptions

FLAG = "--cluster"


class ClusterCommand(click.Command):
    """A command whose ``--cluster`` may stand alone or before an address.

    click would take any next word as the address, a folder of photographs too; only what looks like an
    address is taken.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Join ``--cluster`` to its address before click reads the words."""
        return super().parse_args(ctx, joined_address(args))


def joined_address(words: list[str]) -> list[str]:
    """``--cluster ADDRESS`` as one word, and ``--cluster`` alone with ``auto``."""
    if FLAG not in words:
        return words  # the room is not loaded for nothing
    from leafsight.cluster import AUTO, is_address

    joined: list[str] = []
    waiting, is_option = list(words), True
    while waiting:
        word = waiting.pop(0)
        is_option = is_option and word != "--"
        if is_option and word == FLAG:
            address = waiting.pop(0) if waiting and is_address(waiting[0]) else AUTO
            word = f"{FLAG}={address}"
        joined.append(word)
    return joined


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options ``--cluster``, ``--workers``, ``--worker-cpus`` and ``--worker-gpus``."""
    for option in (
        click.option("--worker-gpus", type=click.IntRange(0, 64), help="GPUs of each worker.  [default: 0]"),
        click.option(
            "--worker-cpus", type=click.IntRange(1, 1024), help="Processors of each worker.  [default: 1]"
        ),
        click.option(
            "--workers",
            type=click.IntRange(1, 4096),
            help="Workers on the cluster.  [default: as many as fit]",
        ),
        click.option(
            FLAG,
            metavar="[ADDRESS]",
            help="Work on a Ray cluster: HOST:PORT, local, or auto when nothing is named.",
        ),
    ):
        command = option(command)
    return command


def wanted_cluster(
    cluster: str | None,
    workers: int | None,
    worker_cpus: int | None,
    worker_gpus: int | None,
    *,
    least_workers: int | None = None,
) -> ClusterOptions | None:
    """The options as one record, or nothing where everything stays in one process.

    Raises:
        UsageError: workers of no cluster, or no address.
    """
    if cluster is None:
        if any(value is not None for value in (workers, worker_cpus, worker_gpus, least_workers)):
            raise UsageError(
                "--workers, --worker-cpus and --worker-gpus belong to a cluster", hint="add --cluster"
            )
        return None
    from leafsight.cluster import ClusterOptions, parse_address

    return ClusterOptions(
        address=parse_address(cluster),
        workers=workers or 0,
        least_workers=least_workers or 0,
        cpus_per_worker=worker_cpus or 1,
        gpus_per_worker=worker_gpus or 0,
    )
