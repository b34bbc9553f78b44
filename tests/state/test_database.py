"""Opening, transactions, durability, and the file that was taken away."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.state.made_records import a_correction, a_prediction, fill

from leafsight.errors import PermissionDeniedError, StateError, StorageError
from leafsight.state import State, open_state
from leafsight.state import database as database_module


def said(state: State, statement: str, **words: bool) -> object:
    with state.database.writing(**words) as connection:
        return connection.execute(text(statement)).scalar()


def test_what_was_kept_is_there_after_opening_again(url: str) -> None:
    with open_state(url) as state:
        prediction_id = fill(state)
    with open_state(url) as state:
        state.check()
        assert state.predictions.get(prediction_id) is not None
        assert len(state.corrections.of(prediction_id)) == 1


def test_a_transaction_that_fails_leaves_nothing(state: State) -> None:
    class OwnError(Exception):
        pass

    with pytest.raises(OwnError), state.database.writing() as connection:
        connection.execute(text("INSERT INTO usage VALUES ('a', 'day', 0, 1)"))
        raise OwnError
    assert state.usage.count("a", "day", 0, 0) == 0


def test_what_a_person_sent_waits_for_the_disk_and_what_we_counted_does_not(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    writing = state.database.writing
    monkeypatch.setattr(
        state.database, "writing", lambda losable=False: (asked.append(losable), writing(losable=losable))[1]
    )
    one = a_prediction()
    state.predictions.add_many([one])
    state.usage.count("a", "day", 1, 0)
    assert asked == [state.database.is_sqlite, True]
    asked.clear()
    state.predictions.add_many([a_prediction(photo_blob="p/1.jpg"), a_prediction()])
    state.corrections.add(a_correction(one.id))
    state.keys.make("n", ["predict"])
    state.answers.begin("k", None, "r", "x")
    assert asked == [False] * 4


def test_the_database_is_told_to_wait_for_the_disk(state: State) -> None:
    if state.database.is_sqlite:
        asked, waits, hurries = "PRAGMA synchronous", 2, 1
    else:
        asked, waits, hurries = "SHOW synchronous_commit", "on", "off"
    assert said(state, asked) == waits
    assert said(state, asked, losable=True) == hurries
    assert said(state, asked) == waits


def test_sqlite_is_set_up_for_many(tmp_path: Path) -> None:
    with open_state(f"sqlite:///{tmp_path}/x.db", busy_timeout_s=1.5) as state:
        assert said(state, "PRAGMA journal_mode") == "wal"
        assert said(state, "PRAGMA foreign_keys") == 1
        assert said(state, "PRAGMA busy_timeout") == 1500


def test_a_reader_sees_one_moment_while_another_writes(state: State) -> None:
    with state.database.reading(one_moment=True) as connection:
        counted = text("SELECT count(*) FROM predictions")
        assert connection.execute(counted).scalar() == 0
        writer = threading.Thread(target=lambda: state.predictions.add_many([a_prediction()]))
        writer.start()
        writer.join()
        assert connection.execute(counted).scalar() == 0
    assert len(state.predictions.page().records) == 1


def test_the_file_is_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "leafsight.db"
    with open_state(f"sqlite:///{path}") as state:
        fill(state)
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert modes == {"leafsight.db": 0o600, "leafsight.db-wal": 0o600, "leafsight.db-shm": 0o600}
    assert [one.name for one in path.parent.iterdir()] == ["leafsight.db"]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_taken_away_or_replaced_is_noticed(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "leafsight.db"
    with open_state(f"sqlite:///{path}") as state:
        path.rename(tmp_path / "elsewhere.db")
        if replaced:
            path.touch()
        with pytest.raises(StateError, match="taken away or replaced"):
            state.check()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        open_state(f"sqlite:///{tmp_path}/file/leafsight.db")
    with pytest.raises(StateError, match="cannot be opened"):
        open_state(f"sqlite:///{tmp_path}")


def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("leafsight.state.engines.os.open", refuse)
    with pytest.raises(PermissionDeniedError):
        open_state(f"sqlite:///{tmp_path}/leafsight.db")


def test_another_process_after_a_fork_gets_connections_of_its_own(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.check()
    disposed: list[bool] = []
    monkeypatch.setattr(state.database._engine, "dispose", lambda close=True: disposed.append(close))
    state.check()
    monkeypatch.setattr(database_module.os, "getpid", lambda: os.getppid())
    state.check()
    state.check()
    assert disposed == [False]


def test_many_threads_at_once(state: State) -> None:
    trouble: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(10):
                one = a_prediction()
                state.predictions.add_many([one])
                state.corrections.add(a_correction(one.id))
                assert state.predictions.get(one.id) == one
        except BaseException as error:
            trouble.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
    assert len(state.predictions.page(limit=200).records) == 80
