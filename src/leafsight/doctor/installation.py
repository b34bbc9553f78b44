"""An installation in plain values: where its things are and how it would serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from leafsight.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What the checks look at.

    Attributes:
        state_dir: database, photographs and models.
        cache_dir: downloads and pixel caches.
        database_url: as of ``leafsight.state.open_state``.
        database_chosen: somebody set the database, so that what it needs has to be there.
        blob_url: as of ``leafsight.state.open_blobs``.
        registry_dir: folder of models.
        registry_url: bucket with models, or empty.
        model: one model file that is served whatever the registry says, or None.
        host, port: where a server listens.
        admin_host, admin_port: where its admin side does; port 0 means that there is none.
        workers: processes of a server.
        max_request_bytes: of one request.
        first_key: a server makes a key by itself where there is none.
        faults: of the settings.
        chosen: setting -> its value for people and where it comes from; those that somebody set.
        secret_file: file with settings in which there is a secret, or None.
        secrets: texts that no finding may show.
    """

    state_dir: Path
    cache_dir: Path
    database_url: str
    blob_url: str
    registry_dir: Path
    registry_url: str = ""
    model: Path | None = None
    database_chosen: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    admin_host: str = "127.0.0.1"
    admin_port: int = 0
    workers: int = 1
    max_request_bytes: int = 128 * 1024**2
    first_key: bool = False
    faults: tuple[Fault, ...] = ()
    chosen: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    secret_file: Path | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
