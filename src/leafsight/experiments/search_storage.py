"""Where a study is kept: its address, its database opened, and what goes wrong there in our words.

Enters: a folder and maybe an address. Leaves: Optuna's storage with heartbeats, and errors of ours. It does
not know what a study holds.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial

from leafsight.errors import StateError, UsageError, require

STUDY_FILE = "study.db"
SQLITE_WAIT_S = 60
ADDRESSES = "write sqlite:///file.db or postgresql+psycopg://user@host/database"


def storage_url(folder: Path, given: str | None) -> str:
    """The address of the study as Optuna wants it: SQLite in its folder unless another one is given.

    Raises:
        UsageError: another kind of database, or a folder that no address can name. The address is not shown:
            it may hold a password.
        MissingExtraError: psycopg is not installed, and wanted.
    """
    if not given:
        path = str(folder.absolute() / STUDY_FILE)
        if "?" in path:  # begins the query of an address
            raise UsageError(f"the name of the folder {folder} has a '?'", hint="name another with --study")
        return f"sqlite:///{path}"
    scheme, _, rest = given.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and rest:
        require("psycopg", "serve")
        return f"postgresql+psycopg://{rest}"
    if scheme != "sqlite" or not rest:
        raise UsageError("no study can be kept at this address", hint=ADDRESSES)
    return given


@contextmanager
def database_errors_translated() -> Iterator[None]:
    """Turn what the database of a study raises into one of our errors.

    Raises:
        StateError: it cannot be reached, read or written.
    """
    try:
        yield
    except Exception as error:
        room = type(error).__module__.partition(".")[0]
        if room not in ("sqlalchemy", "sqlite3", "psycopg") and not isinstance(
            error, optuna.exceptions.StorageInternalError
        ):
            raise
        cause = getattr(error, "orig", None) or error.__cause__ or error
        said = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        raise StateError(
            f"the database of the study cannot be used: {said}",
            hint="check --storage; the same command goes on with what was finished",
        ) from error


def open_storage(
    url: str, beat_s: int, silence_s: int, on_silence: Callable[[FrozenTrial], None]
) -> optuna.storages.RDBStorage:
    """The database of studies; its tables are made if absent.

    Args:
        url: of ``storage_url``.
        beat_s: how often a process says that its trial is alive.
        silence_s: after so long a silence a trial fails.
        on_silence: called with every trial that failed in that way.

    Raises:
        UsageError: no address.
        StateError: tables of another version of Optuna.
    """
    waiting = {"connect_args": {"timeout": SQLITE_WAIT_S}} if url.startswith("sqlite") else {}
    try:
        return optuna.storages.RDBStorage(
            url,
            engine_kwargs=waiting,
            heartbeat_interval=beat_s,
            grace_period=silence_s,
            heartbeat_stale_trial_callback=lambda _study, trial: on_silence(trial),
        )
    except ValueError:
        # Not chained: the cause may show the address, and so the password.
        raise UsageError("the address of the study's database cannot be read", hint=ADDRESSES) from None
    except RuntimeError as error:
        raise StateError(f"the database of the study cannot be used: {error}") from error


@contextmanager
def without_optunas_warnings() -> Iterator[None]:
    """Optuna warns that heartbeats are experimental, and that ``ask`` has none: ``beating`` is ours."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"optuna\.")
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", message="Heartbeat of storage")
        yield
