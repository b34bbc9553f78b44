"""Both databases. Tests that take ``state`` or ``url`` run on each; PostgreSQL is a real server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

if TYPE_CHECKING:
    from tests.state.own_postgres import OwnPostgres

    from leafsight.state import State


class Clock:
    """A clock that stands still until it is set; milliseconds since 1970."""

    def __init__(self) -> None:
        self.now_ms = 1_790_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[OwnPostgres]:
    """A running server; skips, saying why, where there can be none.

    On a Unix socket; with LEAFSIGHT_TEST_POSTGRES=tcp on a port and with a password.
    """
    from tests.state.own_postgres import NoPostgresError, own_postgres

    with ExitStack() as stack:
        try:
            tcp = os.environ.get("LEAFSIGHT_TEST_POSTGRES") == "tcp"
            running = stack.enter_context(own_postgres(tcp=tcp))
        except NoPostgresError as error:
            pytest.skip(f"NOT TESTED ON POSTGRESQL: {error}")
        yield running


@pytest.fixture(scope="session")
def shared_postgres(postgres: OwnPostgres) -> str:
    """The address of one database for all tests that need no new one."""
    return postgres.new_database()


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with tables and no rows, to be copied: quicker than a migration for each test."""
    from leafsight.state import migrate

    path = tmp_path_factory.mktemp("empty") / "leafsight.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def new_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes addresses of new, empty databases."""
    if kind == "postgresql":
        server: OwnPostgres = request.getfixturevalue("postgres")
        return server.new_database
    numbers = iter(range(100))
    return lambda: f"sqlite:///{tmp_path}/new-{next(numbers)}.db"


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with its tables and without rows."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("empty_sqlite"), tmp_path / "leafsight.db")
        return f"sqlite:///{tmp_path}/leafsight.db"
    address: str = request.getfixturevalue("shared_postgres")
    empty_tables(address)
    return address


def empty_tables(address: str) -> None:
    """Remove all rows of a PostgreSQL database."""
    from leafsight.state import open_state
    from leafsight.state.tables import METADATA

    with open_state(address) as opened, opened.database.writing() as connection:
        names = ", ".join(table.name for table in METADATA.sorted_tables)
        connection.execute(text(f"TRUNCATE {names}"))


@pytest.fixture
def state(url: str, clock: Clock) -> Iterator[State]:
    """An open state without rows, on each database."""
    from leafsight.state import open_state

    with open_state(url, now=clock) as opened:
        yield opened
