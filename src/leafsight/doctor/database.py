"""Whether the database can be used, what it says of keys and jobs, and what time it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from leafsight.doctor.addresses import is_local
from leafsight.doctor.clocks import LEASE_S, WARN_S, compared
from leafsight.doctor.findings import Finding, counted, of_error
from leafsight.doctor.installation import Installation
from leafsight.errors import LeafsightError
from leafsight.storage import is_network, kind_of_disk, may_be_made, nearest_there

if TYPE_CHECKING:
    from leafsight.state import DatabaseLook, JobsLook

SQLITE = "sqlite:///"
WAITED_MS = 5 * 60_000
"""A job that nobody began for so long waits for somebody who is not there."""
CONNECTIONS_OF_PROCESS = 10
"""The most that a process of a server takes (docs/state.md)."""
FEW_CONNECTIONS = 5
LOCKED = "look for a process that holds it open (fuser FILE), end that, and look again"
AWAY = "start PostgreSQL there, or correct LEAFSIGHT_DATABASE_URL, and look again"


def check_database(
    here: Installation,
    *,
    wait_s: float,
    now: Callable[[], int],
    disk: Callable[[Path], str] = kind_of_disk,
) -> Iterator[Finding]:
    """Look at the database without making or migrating one.

    Args:
        here: address, hosts and number of processes.
        wait_s: longest wait for a lock or a connection, in seconds.
        now: the clock, milliseconds since 1970 in UTC.
        disk: path -> kind of file system.
    """
    try:
        from leafsight.state import look_at_database

        look = look_at_database(here.database_url, wait_s=wait_s, now=now)
    except LeafsightError as error:
        on_file = here.database_url.startswith(SQLITE)
        busy = LOCKED if on_file else AWAY
        yield of_error("database.reached", error, wanted=here.database_chosen, busy=busy)
        return
    if here.database_url.startswith(SQLITE):
        yield from _file(Path(here.database_url.removeprefix(SQLITE)).expanduser().absolute(), disk)
    if look is None:
        yield from _absent(here)
        return
    yield Finding("database.reached", "ok", f"{look.where} answers ({look.server})")
    yield _revision(look)
    if look.took_ms is not None:
        yield Finding("database.writes", "ok", f"a row was written and removed in {look.took_ms:.0f} ms")
    if look.allowed is not None:
        yield _connections(look, here.workers)
    if look.clock_ms is not None:
        off_ms = look.clock_ms - now()
        yield compared("clock.database", "the database", off_ms, warn_s=WARN_S, fail_s=LEASE_S)
    if look.keys is not None:
        yield _keys(here, there=look.keys)
    if look.jobs is not None:
        yield from _jobs(look.jobs)


def _file(path: Path, disk: Callable[[Path], str]) -> Iterator[Finding]:
    kind = disk(path)
    if is_network(kind):
        yield Finding(
            "database.disk", "warn", f"the SQLite file {path} lies on a network file system ({kind})",
            "put it on a local disk, or use PostgreSQL: its locks do not hold across machines",
        )  # fmt: skip


def _absent(here: Installation) -> Iterator[Finding]:
    path = Path(here.database_url.removeprefix(SQLITE)).expanduser().absolute()
    if may_be_made(path.parent):
        yield Finding(
            "database.reached", "ok", f"{path} is not there yet; it will be made at the first start"
        )
        yield _keys(here, there=False)
    else:
        near = nearest_there(path.parent)
        yield Finding(
            "database.reached", "fail", f"{path} is not there and cannot be made: {near} cannot be written",
            f"make {path.parent} for the user that serves, or name another place with --state-dir",
        )  # fmt: skip


def _revision(look: DatabaseLook) -> Finding:
    name = "database.revision"
    if look.revision == look.wanted:
        return Finding(name, "ok", f"its tables have revision {look.revision}, the one that is wanted")
    if look.revision is None:
        said = "it is empty; a server makes its tables at the first start"
        return Finding(name, "ok", said)
    said = f"its tables have revision {look.revision}, this leafsight wants {look.wanted}"
    return Finding(
        name, "warn", said, "leafsight db backup FILE, then leafsight db migrate (a start does so, too)"
    )


def _connections(look: DatabaseLook, workers: int) -> Finding:
    assert look.used is not None
    assert look.allowed is not None
    said = f"{look.used} of {look.allowed} connections are used"
    most = CONNECTIONS_OF_PROCESS * workers
    if look.allowed < most or look.allowed - look.used < FEW_CONNECTIONS:
        return Finding(
            "database.connections", "warn",
            f"{said}; a server with {counted(workers, 'worker')} takes up to {most}",
            "raise max_connections of PostgreSQL, or serve with fewer processes",
        )  # fmt: skip
    return Finding("database.connections", "ok", said)


def _keys(here: Installation, *, there: bool) -> Finding:
    name = "database.keys"
    hosts = [here.host, *([here.admin_host] if here.admin_port else [])]
    strangers = [host for host in hosts if not is_local(host)]
    if there:
        return Finding(name, "ok", "there are keys; whoever has none is not answered")
    if not strangers:
        return Finding(name, "ok", "there are no keys; only this computer is answered")
    if here.first_key:
        return Finding(name, "ok", "there are no keys; a server makes the first one when it starts")
    return Finding(
        name, "fail", f"there are no keys, so leafsight serve refuses to listen on {strangers[0]}",
        "leafsight keys make NAME --scope predict, or let a server make one: LEAFSIGHT_FIRST_KEY=yes",
    )  # fmt: skip


def _jobs(jobs: JobsLook) -> Iterator[Finding]:
    minutes = jobs.waited_ms // 60_000
    if jobs.waiting and jobs.waited_ms > WAITED_MS and not jobs.held:
        yield Finding(
            "jobs.waiting", "warn",
            f"{counted(jobs.waiting, 'waiting job')}, one for {counted(minutes, 'minute')}, and nobody works",
            "start leafsight work, or a server whose setting jobs is all",
        )  # fmt: skip
    else:
        yield Finding("jobs.waiting", "ok", f"{counted(jobs.waiting, 'waiting job')}, {jobs.held} worked on")
    if jobs.failed:
        said = f"{counted(jobs.failed, 'job')} failed within a day; the newest, {jobs.failed_kind}"
        yield Finding(
            "jobs.failed", "warn", f"{said}: {jobs.failed_said or 'without a word'}",
            "see the tab Operation of the page, or GET /v1/jobs, for each of them",
        )  # fmt: skip
    else:
        yield Finding("jobs.failed", "ok", "no job failed within a day")
