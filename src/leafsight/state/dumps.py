"""All rows of a database as compressed JSON lines, the same for either kind of database.

Enters: a connection, or a file. Leaves: the file, or its rows. It does not know where the rows go. Secrets
are not in it (``tables.CARRIED``).

The first line says what the file is and at which revision; then one line a row,
``{"table": ..., "row": ...}``, bytes as base64; the last line counts the rows of each table, so that a file
which was cut is noticed.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, LargeBinary, Table, select

from leafsight.errors import StateError
from leafsight.state.tables import CARRIED, REVISION, REVISIONS
from leafsight.storage import os_errors_translated

FORMAT, VERSION = "leafsight-state", 1
ROWS_AT_ONCE = 200
# the largest row is an answer of 8 MiB as base64
MAX_LINE_BYTES = 16 * 1024 * 1024


def write_dump(connection: Connection, file: IO[bytes], created_ms: int) -> None:
    """Write all rows that ``connection`` sees to ``file``, but no secrets."""
    counts: Counter[str] = Counter()
    # without name and time, so that equal rows give equal bytes
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6) as packed:
        head = {"format": FORMAT, "version": VERSION, "revision": REVISION, "created_ms": created_ms}
        packed.write(_line(head))
        for table in CARRIED:
            wanted = select(table).order_by(*table.primary_key.columns)
            rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(wanted)
            for row in rows:
                packed.write(_line({"table": table.name, "row": _plain(table, row._mapping)}))
                counts[table.name] += 1
        packed.write(_line({"end": {table.name: counts[table.name] for table in CARRIED}}))


def _line(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def _plain(table: Table, row: Any) -> dict[str, Any]:
    plain = dict(row)
    for name, value in plain.items():
        if value is not None and isinstance(table.c[name].type, LargeBinary):
            plain[name] = base64.b64encode(value).decode("ascii")
    return plain


class DumpFile:
    """A dump to read; its first line has been read and is one of ours.

    Args:
        path: of the file.

    Attributes:
        revision: of the database that it was made from.

    Raises:
        StateError: not a dump, or one of a newer leafsight.
        PermissionDeniedError, StorageError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        head = next(self._lines(), None)
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise StateError(f"{path} is no backup of leafsight", hint="make one with: leafsight db backup")
        self.revision = str(head.get("revision"))
        if head.get("version") != VERSION or self.revision > REVISION:
            raise StateError(
                f"{path} was made by a newer leafsight",
                hint="install the newest leafsight: pip install -U leafsight",
            )
        if self.revision not in REVISIONS:
            raise self._damaged(f"in its first line: there was no revision {self.revision[:20]!r}")

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each row with the name of its table; bytes still as base64.

        Raises:
            StateError: the file is damaged or was cut; the message names the line.
        """
        lines = self._lines()
        next(lines)
        counts: Counter[str] = Counter()
        end: Any = None
        for line in lines:
            if not isinstance(line, dict) or end is not None:
                raise self._damaged("after its end" if end is not None else "in a line that is no object")
            if "end" in line:
                end = line["end"]
                continue
            table, row = line.get("table"), line.get("row")
            if not isinstance(table, str) or not isinstance(row, dict):
                raise self._damaged("in a line that is no row")
            counts[table] += 1
            yield table, row
        if not isinstance(end, dict) or counts != Counter(end):
            raise self._damaged("at its end: rows are missing")

    def _lines(self) -> Iterator[Any]:
        number = 0
        with os_errors_translated(self._path):
            try:
                with gzip.open(self._path) as file:
                    while line := file.readline(MAX_LINE_BYTES + 1):
                        number += 1
                        if len(line) > MAX_LINE_BYTES:
                            raise self._damaged(f"in line {number}: it is too long")
                        yield json.loads(line)
            except (EOFError, zlib.error, gzip.BadGzipFile, ValueError, RecursionError) as error:
                raise self._damaged(f"after line {number}: {error}") from error

    def _damaged(self, where: str) -> StateError:
        return StateError(f"{self._path} is damaged {where}", hint="use another backup")


def unpacked(table: Table, row: dict[str, Any], path: object) -> dict[str, Any]:
    """A row of a dump as the columns want it.

    Raises:
        StateError: a column that the table has not, or bytes that are no base64.
    """
    try:
        for name, value in row.items():
            if value is not None and isinstance(table.c[name].type, LargeBinary):
                row[name] = base64.b64decode(value, validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise StateError(f"{path} has a row that does not fit: {error}", hint="use another backup") from error
    return row
