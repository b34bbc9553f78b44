"""``leafsight cluster``: a cluster on this machine for a look, and what a cluster has."""

from __future__ import annotations

import signal
import threading

import click

from leafsight.cli.terminal import json_option, print_json, progress, quiet_option, talk


@click.group(name="cluster")
def command() -> None:
    """Start a Ray cluster on this machine, or look at one."""


@command.command(name="up")
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes at most.  [default: one a core]")
@quiet_option
@json_option
def up(workers: int | None, quiet: bool, as_json: bool) -> None:
    """Run a cluster on this machine until Ctrl-C.

    Other commands find it with --cluster; they need not wait for one of their own to start.
    """
    from leafsight.cluster import LOCAL, ClusterOptions, connected

    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    options = ClusterOptions(address=LOCAL, workers=workers or 0)
    with connected(options, progress=progress(quiet)) as cluster:
        if as_json:
            print_json({"address": cluster.address, "cpus": cluster.cpus, "gpus": cluster.gpus})
        else:
            click.echo(f"{cluster.address}: {cluster.cpus} processes, {cluster.gpus} GPUs")
        talk("work on it from another terminal: leafsight train RECIPE --data FOLDER --cluster", quiet)
        talk("Ctrl-C ends it, and whatever runs on it", quiet)
        over.wait()


@command.command(name="show")
@click.argument("address", default="auto")
@json_option
def show(address: str, as_json: bool) -> None:
    """Ask every machine of the cluster at ADDRESS what it has."""
    from leafsight.cluster import ClusterOptions, Needs, check_machines, connected, require_running

    with connected(ClusterOptions(address=require_running(address))) as cluster:
        facts = check_machines(Needs())
        if as_json:
            print_json(
                {
                    "address": cluster.address,
                    "cpus": cluster.cpus,
                    "gpus": cluster.gpus,
                    "machines": [fact.to_dict() for fact in facts],
                }
            )
            return
        many = "" if cluster.machines == 1 else "s"
        click.echo(
            f"{cluster.address}: {cluster.machines} machine{many}, {cluster.cpus} processors, "
            f"{cluster.gpus} GPUs"
        )
        for fact in facts:
            click.echo(f"  {fact.name}: leafsight {fact.leafsight}, Python {fact.python}")
