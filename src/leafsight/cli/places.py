"""Where a server keeps what it keeps: the settings with their empty ones filled in, and the options for them.

Enters: settings. Leaves: addresses for the rooms ``state`` and ``registry``. It opens nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.errors import NotFoundError

if TYPE_CHECKING:
    from leafsight.settings import Settings

SQLITE = "sqlite:///"

database_option = click.option(
    "--database", metavar="URL", help="Database, such as postgresql://user@host/name."
)
state_dir_option = click.option(
    "--state-dir", type=click.Path(path_type=Path), help="Where database, photographs and models are kept."
)
blobs_option = click.option(
    "--blobs", metavar="URL", help="Where files are kept, such as s3://bucket/prefix."
)


def database_url(settings: Settings) -> str:
    """The database: as set, otherwise the SQLite file ``leafsight.db`` in ``state_dir``."""
    return settings.database_url or f"{SQLITE}{_state_dir(settings) / 'leafsight.db'}"


def existing_database_url(settings: Settings) -> str:
    """The same for what only reads or removes: a mistyped file is then not made.

    Raises:
        NotFoundError: there is no such SQLite file.
    """
    url = database_url(settings)
    path = Path(url.removeprefix(SQLITE)).expanduser()
    if url.startswith(SQLITE) and not path.exists():
        raise NotFoundError(
            f"there is no database {path}", hint="leafsight serve, keys make or db migrate would make it"
        )
    return url


def blob_url(settings: Settings) -> str:
    """The store for photographs and uploads: as set, otherwise the folder ``blobs`` in ``state_dir``."""
    return settings.blob_url or str(_state_dir(settings) / "blobs")


def registry_dir(settings: Settings) -> Path:
    """The folder of the bundles that may serve: ``registry`` in ``state_dir``."""
    return _state_dir(settings) / "registry"


def work_dir(settings: Settings) -> Path:
    """Where a retraining keeps what it needs between its steps: ``learning`` in ``state_dir``."""
    return _state_dir(settings) / "learning"


def alive_file(settings: Settings) -> Path:
    """What a job worker touches while it goes round: ``job-worker.alive`` in ``state_dir``."""
    return _state_dir(settings) / "job-worker.alive"


def _state_dir(settings: Settings) -> Path:
    return settings.state_dir.expanduser().absolute()
