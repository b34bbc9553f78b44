"""Backups: whole or not there, while others write, for this user alone."""

from __future__ import annotations

import gzip
import json
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from tests.state.made_records import FILLED, T0, a_prediction, fill

from leafsight.errors import ConflictError, DiskFullError, NotFoundError, StateError, UsageError
from leafsight.state import State, backing_up, backup, migrate
from leafsight.state.tables import REVISION


def test_a_folder_gets_a_file_named_by_the_time(state: State, url: str, tmp_path: Path, kind: str) -> None:
    fill(state)
    folder = tmp_path / "backups"
    folder.mkdir()
    made = backup(url, folder, now=lambda: T0)
    name = {"sqlite": "leafsight-20260921-141320.db", "postgresql": "leafsight-20260921-141320.jsonl.gz"}[
        kind
    ]
    assert [made.path] == [folder / name] == list(folder.iterdir())
    assert made.bytes == made.path.stat().st_size > 0
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    with pytest.raises(ConflictError, match="there already"):
        backup(url, folder, now=lambda: T0)
    assert len(list(folder.iterdir())) == 1


def test_a_sqlite_backup_is_one_file_that_any_sqlite_reads(tmp_path: Path) -> None:
    from leafsight.state import open_state

    url = f"sqlite:///{tmp_path}/leafsight.db"
    with open_state(url) as state:
        prediction_id = fill(state)
        made = backup(url, tmp_path / "new" / "copy.db")
    with closing(sqlite3.connect(f"file:{made.path}?immutable=1", uri=True)) as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM predictions ORDER BY id")]
    assert ids[0] == prediction_id
    assert [one.name for one in made.path.parent.iterdir()] == ["copy.db"]


def test_a_dump_can_be_read_by_people_and_says_what_it_is(state: State, url: str, tmp_path: Path) -> None:
    fill(state)
    made = backup(url, tmp_path / "all.jsonl.gz", now=lambda: T0)
    lines = [json.loads(line) for line in gzip.decompress(made.path.read_bytes()).splitlines()]
    assert lines[0] == {"format": "leafsight-state", "version": 1, "revision": REVISION, "created_ms": T0}
    assert lines[-1] == {"end": FILLED}
    assert len(lines) == 2 + sum(FILLED.values())
    again = backup(url, tmp_path / "again.jsonl.gz", now=lambda: T0)
    assert again.path.read_bytes() == made.path.read_bytes()


@pytest.mark.parametrize("name", ["copy.db", "copy.jsonl.gz"])
def test_a_backup_while_others_write_is_of_one_moment(
    state: State, url: str, tmp_path: Path, kind: str, name: str
) -> None:
    if kind == "postgresql" and name == "copy.db":
        with pytest.raises(UsageError, match=r"must end in \.jsonl\.gz"):
            backup(url, tmp_path / name)
        return
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            state.predictions.add_many([a_prediction(), a_prediction()])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = backup(url, tmp_path / name)
    finally:
        stop.set()
        writer.join()
    if name.endswith(".gz"):
        lines = gzip.decompress(made.path.read_bytes()).splitlines()
        rows = sum(line.startswith(b'{"table":"predictions"') for line in lines)
    else:
        with closing(sqlite3.connect(made.path)) as connection:
            rows = connection.execute("SELECT count(*) FROM predictions").fetchone()[0]
    assert rows % 2 == 0


def test_a_full_disk_leaves_no_half_backup(
    state: State, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*words: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backing_up, "write_dump", refuse)
    folder = tmp_path / "backups"
    folder.mkdir()
    with pytest.raises(DiskFullError):
        backup(url, folder / "x.jsonl.gz")
    assert list(folder.iterdir()) == []


def test_what_cannot_be_backed_up(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="is not there"):
        backup(f"sqlite:///{tmp_path}/none.db", tmp_path)
    (tmp_path / "empty.db").touch()
    with pytest.raises(StateError, match="is empty") as caught:
        backup(f"sqlite:///{tmp_path}/empty.db", tmp_path / "x.jsonl.gz")
    assert "migrate" in caught.value.hint
    (tmp_path / "bad.db").write_bytes(b"no database" * 100)
    with pytest.raises(StateError, match="damaged"):
        backup(f"sqlite:///{tmp_path}/bad.db", tmp_path / "x.db")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bad.db", "empty.db"]


def test_a_damaged_database_gives_no_backup_that_looks_whole(tmp_path: Path) -> None:
    from leafsight.state import open_state

    path = tmp_path / "leafsight.db"
    migrate(f"sqlite:///{path}")
    tables_end = path.stat().st_size
    with open_state(f"sqlite:///{path}") as state:
        state.predictions.add_many([a_prediction() for _ in range(50)])
    data = bytearray(path.read_bytes())
    data[tables_end:] = b"\xff" * len(data[tables_end:])
    path.write_bytes(data)
    for name in ("x.db", "x.jsonl.gz"):
        with pytest.raises(StateError, match="damaged"):
            backup(f"sqlite:///{path}", tmp_path / name)
    assert [one.name for one in tmp_path.iterdir()] == ["leafsight.db"]
