"""Whatever the database does, one of our errors comes out, and what was acknowledged is there afterwards."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.state.made_records import a_correction, a_prediction
from tests.state.own_postgres import OwnPostgres

from leafsight.errors import DiskFullError, StateBusyError, StateError, StateFullError
from leafsight.state import State, open_state

HINT = "again"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[State]:
    """A SQLite database that does not wait for long."""
    with open_state(f"sqlite:///{tmp_path}/leafsight.db", busy_timeout_s=0.05) as opened:
        yield opened


@pytest.fixture
def kept(postgres: OwnPostgres) -> Iterator[State]:
    """A PostgreSQL database that does not wait for long."""
    with open_state(postgres.new_database(), busy_timeout_s=0.1) as opened:
        yield opened


def busy(state: State, *, losable: bool = False) -> StateBusyError:
    with pytest.raises(StateBusyError) as caught:
        state.usage.count("a", "day", 1, 0) if losable else state.keys.make("n", ["predict"])
    assert HINT in caught.value.hint
    return caught.value


def test_a_database_that_a_third_holds(small: State, tmp_path: Path) -> None:
    one = a_prediction()
    small.predictions.add_many([one])
    with closing(sqlite3.connect(tmp_path / "leafsight.db", isolation_level=None)) as third:
        third.execute("BEGIN IMMEDIATE")
        assert "locked" in busy(small).message
        assert small.predictions.get(one.id) == one
        small.check()
        third.execute("ROLLBACK")
    small.keys.make("n", ["predict"])


def test_a_table_that_a_third_holds(kept: State) -> None:
    with kept.database.writing() as third:
        third.execute(text("LOCK TABLE keys IN ACCESS EXCLUSIVE MODE"))
        assert "lock timeout" in busy(kept).message
    kept.keys.make("n", ["predict"])


def test_no_connection_is_free(small: State, monkeypatch: pytest.MonkeyPatch) -> None:
    held = [small.database._engine.connect() for _ in range(10)]
    assert "no connection free" in busy(small).message
    held.pop().close()
    small.check()
    for connection in held:
        connection.close()


def test_a_disk_that_is_full(small: State) -> None:
    one = a_prediction()
    small.predictions.add_many([one])
    with small.database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 1}")
    big = a_prediction(answer={"text": "x" * 100_000})
    with pytest.raises(StateFullError, match=r"disk .* is full") as caught:
        small.predictions.add_many([a_prediction(), big])
    assert "free some space" in caught.value.hint
    assert [found.id for found in small.predictions.page().records] == [one.id]
    with small.database.reading() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 1000}")
    small.predictions.add_many([big])


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte; needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full_loses_nothing_acknowledged(tiny_disk: Path) -> None:
    with open_state(f"sqlite:///{tiny_disk}/leafsight.db") as state:
        acknowledged: list[str] = []
        with pytest.raises(StateError, match=r"disk|full"):
            for _ in range(200):
                one = a_prediction(answer={"text": "x" * 20_000})
                state.predictions.add_many([one])
                acknowledged.append(one.id)
        found = [one.id for one in state.predictions.page(limit=200).records]
        assert found == acknowledged[::-1]
        assert found


def test_a_disk_without_room_for_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("leafsight.state.engines.os.open", refuse)
    with pytest.raises(DiskFullError):
        open_state(f"sqlite:///{tmp_path}/leafsight.db")


def test_a_database_that_may_only_be_read(small: State) -> None:
    with small.database.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    with pytest.raises(StateError, match="cannot be written"):
        small.keys.make("n", ["predict"])


@pytest.mark.parametrize("text_", [b"this is no database" * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_file_that_is_no_database(tmp_path: Path, text_: bytes) -> None:
    path = tmp_path / "leafsight.db"
    path.write_bytes(text_)
    with pytest.raises(StateError, match="is damaged") as caught:
        open_state(f"sqlite:///{path}")
    assert "restore" in caught.value.hint
    assert path.read_bytes() == text_


def test_a_database_with_damaged_pages(tmp_path: Path) -> None:
    """Those of predictions: the tables themselves are whole, so that it opens."""
    path = tmp_path / "leafsight.db"
    open_state(f"sqlite:///{path}").close()
    tables_end = path.stat().st_size
    with open_state(f"sqlite:///{path}") as state:
        state.predictions.add_many([a_prediction() for _ in range(50)])
    data = bytearray(path.read_bytes())
    data[tables_end:] = b"\xff" * len(data[tables_end:])
    assert len(data) > tables_end
    path.write_bytes(data)
    with open_state(f"sqlite:///{path}") as state, pytest.raises(StateError, match="is damaged") as caught:
        state.predictions.page(limit=200)
    assert "restore a backup" in caught.value.hint


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("53100", StateFullError, "is full"),
        ("XX001", StateError, "is damaged"),
        ("57014", StateBusyError, "does not answer"),
        ("40P01", StateBusyError, "does not answer"),
        ("53300", StateBusyError, "does not answer"),
        ("28000", StateError, "does not let us in"),
        ("P0001", StateError, "made up"),
    ],
)
def test_what_postgresql_says(kept: State, code: str, kind: type[StateError], said: str) -> None:
    with pytest.raises(StateError, match=said) as caught, kept.database.writing() as connection:
        connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = '{code}'; END $$"))
    assert type(caught.value) is kind


def test_postgresql_that_may_only_be_read(kept: State) -> None:
    with pytest.raises(StateError, match="read-only"), kept.database.writing() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text("INSERT INTO usage VALUES ('a', 'day', 0, 1)"))


def test_a_statement_that_takes_too_long(kept: State) -> None:
    with pytest.raises(StateBusyError, match="statement timeout"), kept.database.reading() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 20"))
        connection.execute(text("SELECT pg_sleep(5)"))


def test_a_connection_that_was_lost_between_and_within_requests(kept: State) -> None:
    kept.check()
    others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
    )
    with kept.database.reading() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
    with kept.database.reading() as first, kept.database.reading() as second:
        assert first is not second
        first.execute(text(f"{others} '{name}'"))
    kept.check()
    with pytest.raises(StateBusyError, match="does not answer"), kept.database.writing() as connection:
        own = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with kept.database.reading() as other:
            other.execute(text(f"SELECT pg_terminate_backend({own})"))
        connection.execute(text("SELECT 1"))
    kept.check()


@pytest.mark.slow
def test_a_server_that_crashes_and_comes_back_has_all_that_people_sent(postgres: OwnPostgres) -> None:
    with open_state(postgres.new_database(), busy_timeout_s=0.5) as state:
        postgres.checkpoint()
        one = a_prediction()
        state.predictions.add_many([one])
        corrections = [a_correction(one.id) for _ in range(20)]
        for correction in corrections:
            state.corrections.add(correction)
        postgres.stop(signal.SIGQUIT)
        try:
            assert "does not answer" in busy(state).message
            with pytest.raises(StateBusyError):
                state.check()
        finally:
            postgres.start()
        assert state.corrections.of(one.id) == tuple(corrections)
        state.keys.make("n", ["predict"])


@pytest.mark.slow
def test_a_server_that_is_killed_has_all_predictions_that_were_said_to_be_recorded(
    postgres: OwnPostgres,
) -> None:
    """Callers are told ``recorded: true``: nobody may have to take that back because PostgreSQL died."""
    with open_state(postgres.new_database(), busy_timeout_s=0.5) as state:
        postgres.checkpoint()
        told = []
        for _ in range(40):
            one = a_prediction()
            state.predictions.add_many([one])
            told.append(one.id)
        postgres.stop(signal.SIGQUIT)  # all its processes end at once, and nothing is written any more
        postgres.start()
        assert [one for one in told if state.predictions.get(one) is None] == []


def test_a_server_that_is_not_there_or_lets_nobody_in(postgres: OwnPostgres, tmp_path: Path) -> None:
    with pytest.raises(StateBusyError, match="does not answer"):
        open_state(f"postgresql://leaf:hunter2@/x?host={tmp_path}")
    address = postgres.address("no_such_database")
    with pytest.raises(StateError, match="does not let us in") as caught:
        open_state(address)
    assert type(caught.value) is StateError
    assert "LEAFSIGHT_DATABASE_URL" in caught.value.hint
