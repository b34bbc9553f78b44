"""``leafsight work``: the jobs of servers, worked off by a process that answers no HTTP."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.places import alive_file
from leafsight.cli.service_settings import service_options, shared_options
from leafsight.cli.terminal import json_option, print_json, settings_for, talk
from leafsight.errors import UsageError, require

if TYPE_CHECKING:
    from leafsight.settings import Settings


@click.command(name="work")
@shared_options
@click.option("--once", is_flag=True, help="Work off what is there, then end.")
@click.option(
    "--alive", is_flag=True, help="Say whether the one with this state folder is alive: exit code 0 or 1."
)
@json_option
def command(once: bool, alive: bool, as_json: bool, **given: Any) -> int:
    """Work off the jobs of servers that were started with --jobs none, until Ctrl-C or SIGTERM."""
    settings = settings_for(jobs="all", **given)
    if once and alive:
        raise UsageError(
            "--once and --alive do not go together", hint="--alive only looks at another process"
        )
    if alive:
        return _say_whether_alive(settings, as_json)
    if as_json and not once:
        raise UsageError("--json has nothing to print here", hint="give it with --once or --alive")
    require("sqlalchemy", "serve")
    options = service_options(settings)
    from leafsight.service import JobWorker, registry_of

    registry_of(options)  # an address that cannot be understood is said now, not in every job
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    worker = JobWorker(options, talk, alive_file(settings))
    if not once:
        return worker.run()
    done = worker.once()
    print_json({"jobs": done}) if as_json else click.echo(f"{done} {'job' if done == 1 else 'jobs'}")
    return 0


def _say_whether_alive(settings: Settings, as_json: bool) -> int:
    """For probes of a container: loads next to nothing."""
    from leafsight.service import STALE_S, beat_age_s

    age_s = beat_age_s(alive_file(settings))
    fine = age_s is not None and age_s <= STALE_S
    if as_json:
        print_json({"alive": fine, "seconds": None if age_s is None else round(age_s, 1)})
    elif age_s is None:
        click.echo("not alive: it was never started here, or has ended")
    else:
        click.echo(f"{'alive' if fine else 'not alive'}: {age_s:.0f} s since its last round")
    return 0 if fine else 1
