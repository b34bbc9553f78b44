"""``leafsight serve``: the HTTP service, with nothing else to install or configure."""

from __future__ import annotations

import os
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.first_key import first_key_option, flag_of, make_first_key, tell_first_key
from leafsight.cli.service_settings import service_options, shared_options
from leafsight.cli.terminal import settings_for, talk
from leafsight.cli.waiting import patiently, wait_option
from leafsight.errors import UsageError, require

if TYPE_CHECKING:
    from leafsight.service import ServiceOptions
    from leafsight.settings import Settings


@click.command(name="serve")
@click.option("--host", help="Address to listen on; other computers are served only with keys.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Figures and lists are answered on this port only; 0 means on that of everybody.",
)
@click.option("--admin-host", help="Address of the admin port; other computers are served only with keys.")
@click.option(
    "--workers",
    type=click.IntRange(0, 1024),
    help="Processes; 0 means one per core, and no more than a quota of CPU time allows.",
)
@click.option("--deadline-ms", type=click.IntRange(50, 600_000), help="Refuse what would be answered later.")
@click.option(
    "--keep-photos", type=click.Choice(["never", "ask", "always"]), help="Whether photographs are kept."
)
@shared_options
@click.option(
    "--jobs", type=click.Choice(["all", "none"]), help="Jobs to work off; none leaves them to leafsight work."
)
@first_key_option
@wait_option
@click.option(
    "--end-with",
    type=click.IntRange(min=1),
    metavar="PID",
    help="End when this process, which started the server, is gone.",
)
def command(first_key: bool, wait_s: float, end_with: int | None, **given: Any) -> int:
    """Serve predictions over HTTP until Ctrl-C or SIGTERM; SIGHUP replaces the processes one by one."""
    settings = settings_for(first_key=flag_of(first_key), **given)
    for library in ("fastapi", "uvicorn", "sqlalchemy"):
        require(library, "serve")
    options = replace(service_options(settings), end_with=end_with)
    patiently(lambda: _prepare(options, settings), wait_s, talk)
    from leafsight.service import serve

    return serve(options, say=talk)


def _prepare(options: ServiceOptions, settings: Settings) -> None:
    """What every process would stumble over is said once: the model, the database; and are there keys?"""
    from leafsight.service import look_at_model
    from leafsight.state import open_state

    if options.model is None:
        look_at_model(options)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if options.alert_url:
        from leafsight.monitoring import check_alert_url

        check_alert_url(options.alert_url)
    state = open_state(options.database_url)
    try:
        tell_first_key(make_first_key(state, settings))
        keys = state.keys.any()
    finally:
        state.close()
    if options.jobs == "none":
        talk("works no jobs off: leafsight work does, on the same database")
    if keys:
        return
    for host in [options.host, *([options.admin_host] if options.admin_port else [])]:
        if not _is_local(host):
            raise UsageError(
                f"there are no keys, so only this computer may be served, not {host}",
                hint="make a key with: leafsight keys make NAME --scope predict, or start with --first-key",
            )
    talk("no keys: only this computer is answered; leafsight keys make NAME makes one")


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
