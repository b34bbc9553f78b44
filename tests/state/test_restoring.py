"""Restoring: all rows or none, from either kind into either kind."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.state.made_records import FILLED, T0, a_prediction, all_rows, fill
from tests.state.old_databases import COUNTS, NEWER, OLD, make_old_database, old_dump

from leafsight.errors import ConflictError, StateError, StorageError
from leafsight.state import Restored, State, backup, migrate, open_state, restore


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """A dump of a row or more in every table."""
    url = f"sqlite:///{tmp_path}/source/leafsight.db"
    with open_state(url) as state:
        fill(state)
    return backup(url, tmp_path / "dump.jsonl.gz", now=lambda: T0).path


def rewritten(path: Path, change: Callable[[list[str]], list[str]]) -> Path:
    """The dump with other lines."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in change(lines)).encode()))
    return path


@pytest.mark.parametrize("name", ["copy.db", "copy.jsonl.gz"])
def test_every_row_comes_back_in_either_kind(
    name: str, new_url: Callable[[], str], kind: str, tmp_path: Path
) -> None:
    sources = [f"sqlite:///{tmp_path}/source.db"]
    if kind == "postgresql" and name.endswith(".gz"):
        sources.append(new_url())
    for number, source in enumerate(sources):
        with open_state(source) as state:
            fill(state)
            state.predictions.add_many([a_prediction(answer={"nul": "\x00", "half": "\ud800"})])
            before = all_rows(state)
        made, target = backup(source, tmp_path / f"{number}-{name}"), new_url()
        assert restore(made.path, target) == Restored({**FILLED, "predictions": 3})
        with open_state(target) as state:
            assert all_rows(state) == before
            assert state.keys.list()[0].name == "the greenhouse"


def test_a_dump_of_postgresql_in_sqlite(
    shared_postgres: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    from tests.state.conftest import empty_tables

    empty_tables(shared_postgres)
    with open_state(shared_postgres) as state:
        fill(state)
        before = all_rows(state)
    made = backup(shared_postgres, tmp_path / "copy.jsonl.gz")
    target = f"sqlite:///{tmp_path}/new folder/leafsight.db"
    assert restore(made.path, target).rows == FILLED
    with open_state(target) as state:
        assert all_rows(state) == before
    assert [one.name for one in (tmp_path / "new folder").iterdir()] == ["leafsight.db"]


@pytest.mark.parametrize("form", ["file", "dump"])
@pytest.mark.parametrize("revision", OLD)
def test_backups_of_older_revisions_come_back(
    revision: str, form: str, new_url: Callable[[], str], tmp_path: Path
) -> None:
    """Both kinds of file into both kinds of database."""
    source, corrected = f"sqlite:///{tmp_path}/source.db", OLD[revision]
    make_old_database(source, revision)
    made = old_dump(tmp_path, revision) if form == "dump" else backup(source, tmp_path / "copy.db").path
    target = new_url()
    assert restore(made, target).rows == {**COUNTS, **NEWER}
    migrate(source)
    with open_state(source) as state, open_state(target) as restored:
        assert all_rows(restored) == all_rows(state)
        prediction = restored.predictions.get(corrected)
        assert prediction is not None
        assert prediction.answer["verdict"] == "diagnosis"
        assert [one.note for one in restored.corrections.of(corrected)] == ["Flecken, größer als gestern 🍅"]
        assert len(restored.secrets.of("tickets")) == 32


def test_a_backup_goes_into_a_database_of_the_first_revision(
    new_url: Callable[[], str], tmp_path: Path
) -> None:
    """It is brought up to date, and is not empty; then it is replaced by force."""
    url = new_url()
    make_old_database(url)
    with pytest.raises(ConflictError, match="is not empty"):
        restore(old_dump(tmp_path), url)
    assert restore(old_dump(tmp_path), url, force=True).rows == {**COUNTS, **NEWER}


def test_what_is_there_is_replaced_only_by_force(state: State, url: str, dump: Path) -> None:
    state.predictions.add_many([a_prediction() for _ in range(5)])
    before = all_rows(state)
    with pytest.raises(ConflictError, match="is not empty") as caught:
        restore(dump, url)
    assert "--force" in caught.value.hint
    assert all_rows(state) == before
    assert restore(dump, url, force=True).rows == FILLED
    assert len(all_rows(state)["predictions"]) == 2
    state.check()


def test_a_damaged_database_is_moved_aside_never_deleted(dump: Path, tmp_path: Path) -> None:
    path = tmp_path / "leafsight.db"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StateError, match="is damaged"):
        restore(dump, f"sqlite:///{path}")
    found = restore(dump, f"sqlite:///{path}", force=True, now=lambda: T0)
    assert found == Restored(FILLED, tmp_path / "leafsight.db.damaged-20260921-141320")
    assert found.moved_to is not None
    assert found.moved_to.read_bytes() == b"no database" * 100


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:-1], "rows are missing"),
        (lambda lines: lines[:3] + lines[4:], "rows are missing"),
        (lambda lines: [*lines, lines[1]], "after its end"),
        (lambda lines: [*lines[:3], "not json", *lines[3:]], "after line 4"),
        (lambda lines: [*lines[:3], "[1]", *lines[3:]], "no object"),
        (lambda lines: [*lines[:3], '{"table": 1}', *lines[3:]], "no row"),
        (lambda lines: [lines[0], '{"table":"alembic_version","row":{"version_num":"1"}}'], "unknown table"),
        (lambda lines: [lines[0], '{"table":"jobs","row":{"secret_column":"1"}}'], "does not fit"),
        (lambda lines: [lines[0], '{"table":"answers","row":{"body":"***"}}'], "does not fit"),
        (lambda lines: [lines[0], "x" * (17 * 1024 * 1024)], "too long"),
        (lambda lines: ['{"format":"other"}', *lines[1:]], "no backup of leafsight"),
        (lambda lines: [], "no backup of leafsight"),
        (lambda lines: [json.dumps({**json.loads(lines[0]), "revision": "0004"})], "newer leafsight"),
        (lambda lines: [json.dumps({**json.loads(lines[0]), "revision": "0000"})], "no revision '0000'"),
        (lambda lines: [json.dumps({**json.loads(lines[0]), "revision": ""})], "no revision ''"),
        (lambda lines: [json.dumps({**json.loads(lines[0]), "revision": "00010"})], "no revision '00010'"),
        (lambda lines: [json.dumps({**json.loads(lines[0]), "version": 2})], "newer leafsight"),
    ],
)
def test_a_dump_that_is_not_whole_changes_nothing(
    dump: Path, tmp_path: Path, change: Callable[[list[str]], list[str]], said: str
) -> None:
    target = f"sqlite:///{tmp_path}/target.db"
    with open_state(target) as state:
        fill(state)
        before = all_rows(state)
        with pytest.raises(StateError, match=said):
            restore(rewritten(dump, change), target, force=True)
        assert all_rows(state) == before
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".leafsight-restore")]


def test_a_cut_or_altered_file_changes_nothing(dump: Path, tmp_path: Path) -> None:
    whole = dump.read_bytes()
    target = f"sqlite:///{tmp_path}/target.db"
    for data in (whole[: len(whole) // 2], whole[:100] + b"\x00" * 20 + whole[120:], whole[:-4] + b"abcd"):
        dump.write_bytes(data)
        with pytest.raises(StateError, match="damaged"):
            restore(dump, target)
    with open_state(target) as state:
        assert all(rows == [] for rows in all_rows(state).values())


def test_a_backup_that_breaks_the_rules_of_the_tables(dump: Path, tmp_path: Path) -> None:
    def orphan(lines: list[str]) -> list[str]:
        return [line.replace('"prediction_id":"', '"prediction_id":"0') for line in lines]

    def twice(lines: list[str]) -> list[str]:
        return [lines[0], lines[1], *lines[1:]]

    whole = dump.read_bytes()
    for change in (orphan, twice):
        dump.write_bytes(whole)
        with pytest.raises(StateError, match="do not belong together"):
            restore(rewritten(dump, change), f"sqlite:///{tmp_path}/target.db")


def test_files_that_are_no_backups(tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/target.db"
    with pytest.raises(StorageError):
        restore(tmp_path / "missing", target)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(StateError, match="no backup of leafsight"):
        restore(tmp_path / "text", target)
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    with pytest.raises(StateError, match="no backup of leafsight"):
        restore(tmp_path / "other.db", target)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_sqlite_backup_that_was_cut_changes_nothing(tmp_path: Path, kept: float) -> None:
    source, target = f"sqlite:///{tmp_path}/source.db", f"sqlite:///{tmp_path}/target.db"
    with open_state(source) as state:
        fill(state)
        state.predictions.add_many([a_prediction() for _ in range(50)])
    made = backup(source, tmp_path / "copy.db").path
    made.write_bytes(made.read_bytes()[: int(made.stat().st_size * kept)])
    with open_state(target) as state:
        fill(state)
        before = all_rows(state)
        with pytest.raises(StateError, match="damaged"):
            restore(made, target, force=True)
        assert all_rows(state) == before
