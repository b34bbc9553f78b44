"""Databases and backups as leafsight left them: at 0001 before there were secrets, at 0002 before it learned.

``dump_of_NNNN.jsonl`` was written by the leafsight of that revision and is never written again.
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

OLD = {"0001": "01a200ee85415924a89981ef9998b7da", "0002": "01a202299401bb690e55035e9d97d929"}
"""revision -> the prediction that somebody corrected."""
COUNTS = {"answers": 1, "corrections": 1, "jobs": 1, "keys": 1, "predictions": 2, "uploads": 1, "usage": 1}
"""Of each of them; what came later is empty."""
NEWER = {"contributions": 0, "declared_classes": 0, "marks": 0, "shadows": 0}


def lines_of(revision: str) -> Path:
    """The lines of a dump."""
    return Path(__file__).with_name(f"dump_of_{revision}.jsonl")


def old_dump(folder: Path, revision: str = "0001") -> Path:
    """A dump as a file."""
    path = folder / "old.jsonl.gz"
    path.write_bytes(gzip.compress(lines_of(revision).read_bytes()))
    return path


def make_old_database(url: str, revision: str = "0001") -> None:
    """The same rows in the tables of that time."""
    migrate(url, to=revision)
    database, old = Database(Address(url), busy_timeout_s=5.0, pooled=False), MetaData()
    lines = [json.loads(line) for line in lines_of(revision).read_text().splitlines()[1:-1]]
    with database.writing() as connection:
        old.reflect(connection)
        for line in lines:
            table = old.tables[line["table"]]
            connection.execute(insert(table), unpacked(table, line["row"], revision))
    database.close()
