"""Where the database is.

Enters: an address as a person writes it. Leaves: SQLAlchemy's form of it, and one for people without the
password. It does not open anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from leafsight.errors import UsageError, require

KINDS = "sqlite:///folder/leafsight.db or postgresql://user:password@host/database"


class Address:
    """A database by its address.

    Args:
        text: ``sqlite:///path``, ``postgresql://...``, ``postgres://...`` or ``postgresql+psycopg://...``.

    Attributes:
        url: as SQLAlchemy wants it.
        kind: which of the two databases.

    Raises:
        UsageError: neither, another driver, or SQLite without a file. The message never shows the password.
        MissingExtraError: psycopg is not installed, and wanted.
    """

    url: URL
    kind: Literal["sqlite", "postgresql"]

    def __init__(self, text: str) -> None:
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            # not chained: the cause may show the address, and so the password
            raise UsageError("the address of the database cannot be read", hint=f"write {KINDS}") from None
        if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
            require("psycopg", "serve")
            self.kind, self.url = "postgresql", url.set(drivername="postgresql+psycopg")
            return
        if url.drivername not in ("sqlite", "sqlite+pysqlite"):
            raise UsageError(f"no database of the kind '{url.drivername}' is known", hint=f"write {KINDS}")
        if not url.database or url.database == ":memory:" or url.host or url.query:
            raise UsageError(f"a SQLite database needs a file: {self._shown(url)}", hint=f"write {KINDS}")
        path = Path(url.database).expanduser().absolute()
        self.kind, self.url = "sqlite", url.set(drivername="sqlite", database=str(path))

    @property
    def path(self) -> Path:
        """The file of a SQLite database."""
        assert self.kind == "sqlite"
        return Path(self.url.database or "")

    def __str__(self) -> str:
        return f"the database {self._shown(self.url)}"

    @staticmethod
    def _shown(url: URL) -> str:
        if url.drivername.startswith("sqlite"):
            return url.database or "in memory"
        # not the query: it may hold a password, too
        return url.set(query={}, drivername="postgresql").render_as_string(hide_password=True)
