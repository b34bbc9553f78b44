"""Databases and backups as leafsight left them at revision 0001, before there were secrets.

``dump_of_0001.jsonl`` was written by that leafsight and is never written again.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from sqlalchemy import MetaData, insert

from leafsight.state import migrate
from leafsight.state.addresses import Address
from leafsight.state.database import Database
from leafsight.state.dumps import unpacked

LINES = Path(__file__).with_name("dump_of_0001.jsonl")
COUNTS = {"answers": 1, "corrections": 1, "jobs": 1, "keys": 1, "predictions": 2, "uploads": 1, "usage": 1}
PREDICTION = "01a200ee85415924a89981ef9998b7da"


def old_dump(folder: Path) -> Path:
    """The dump as a file."""
    path = folder / "old.jsonl.gz"
    path.write_bytes(gzip.compress(LINES.read_bytes()))
    return path


def make_old_database(url: str) -> None:
    """The same rows in the tables of that time."""
    migrate(url, to="0001")
    database, old = Database(Address(url), busy_timeout_s=5.0, pooled=False), MetaData()
    lines = [json.loads(line) for line in LINES.read_text().splitlines()[1:-1]]
    with database.writing() as connection:
        old.reflect(connection)
        for line in lines:
            table = old.tables[line["table"]]
            connection.execute(insert(table), unpacked(table, line["row"], LINES))
    database.close()
