"""The checks in their order, bound to one installation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from leafsight.doctor.chosen import check_settings
from leafsight.doctor.clocks import check_clock, wall_clock_ms
from leafsight.doctor.containers import in_container
from leafsight.doctor.database import check_database
from leafsight.doctor.disk import check_disk, places_of
from leafsight.doctor.findings import Finding
from leafsight.doctor.installation import Installation
from leafsight.doctor.loading import load_database, load_inference, load_requirements, load_store
from leafsight.doctor.machine import check_memory, check_open_files
from leafsight.doctor.model import check_model
from leafsight.doctor.permissions import check_permissions, this_user
from leafsight.doctor.ports import check_ports
from leafsight.doctor.registry import check_registry
from leafsight.doctor.running import Check
from leafsight.doctor.server import check_server
from leafsight.doctor.store import check_store
from leafsight.doctor.versions import check_versions

NAMES = (
    "versions", "settings", "model", "database", "store", "registry", "disk", "memory", "clock", "ports",
    "permissions", "limits", "jobs", "server",
)  # fmt: skip
"""Groups of findings, in the order in which they are told."""
MOST_WAIT_S, LEAST_WAIT_S = 3.0, 0.2


def checks_of(
    here: Installation,
    *,
    timeout_s: float,
    url: str = "",
    key: str = "",
    now: Callable[[], int] = wall_clock_ms,
) -> list[Check]:
    """Every check of an installation.

    Args:
        here: what is looked at.
        timeout_s: for all of them together; one wait is shorter.
        url: of a running server to ask from outside, or empty.
        key: for that server, or empty.
        now: the clock, milliseconds since 1970 in UTC.
    """
    wait_s = max(LEAST_WAIT_S, min(MOST_WAIT_S, timeout_s / 3))

    def ports() -> Iterator[Finding]:
        return check_ports(here.host, here.port, here.admin_host, here.admin_port, timeout_s=wait_s)

    def permissions() -> Iterator[Finding]:
        return check_permissions(here.state_dir, here.secret_file, user=this_user(), contained=in_container())

    def model() -> Iterator[Finding]:
        return check_model(here.model, here.registry_dir, here.registry_url, timeout_s=wait_s)

    def registry() -> Iterator[Finding]:
        return check_registry(here.registry_dir, here.registry_url, timeout_s=wait_s)

    def load_registry() -> None:
        load_inference()
        load_store(here.registry_url)

    places = places_of(here.state_dir, here.cache_dir, here.max_request_bytes)
    found = [
        Check(("versions",), check_versions, load_requirements),
        Check(("settings",), lambda: check_settings(here.faults, here.chosen)),
        Check(("model",), model, load_registry),
        Check(
            ("database", "clock", "jobs"),
            lambda: check_database(here, wait_s=wait_s, now=now),
            lambda: load_database(here.database_url),
        ),
        Check(
            ("store", "clock"),
            lambda: check_store(here.blob_url, timeout_s=wait_s, now=now),
            lambda: load_store(here.blob_url),
        ),
        Check(("registry",), registry, load_registry),
        Check(("disk",), lambda: check_disk(places)),
        Check(("memory",), lambda: check_memory(here.workers)),
        Check(("clock",), lambda: check_clock(now())),
        Check(("ports",), ports),
        Check(("permissions",), permissions),
        Check(("limits",), check_open_files),
    ]
    if url:
        found.append(Check(("server", "clock"), lambda: check_server(url, key, timeout_s=wait_s, now=now)))
    return found
