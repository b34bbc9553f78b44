"""Secrets: one for all who ask by its name, kept, and in nothing that leaves the machine."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.state.conftest import Clock
from tests.state.made_records import DAY, T0, fill
from tests.state.old_databases import make_old_database

from leafsight.errors import ConflictError, StateBusyError, StateError, UsageError
from leafsight.state import State, backup, describe, migrate, open_state, prune, restore

ASKS = """
import sys
from leafsight.state import open_state
with open_state(sys.argv[1]) as state:
    print("open", flush=True)
    sys.stdin.readline()
    print(state.secrets.of("tickets").hex(), flush=True)
"""


def test_a_name_has_one_secret_and_another_name_another(state: State, url: str) -> None:
    assert state.secrets.known("a") is None
    one, other = state.secrets.of("a"), state.secrets.of("b")
    assert {len(one), len(other)} == {32}
    assert one != other
    assert (state.secrets.of("a"), state.secrets.known("a")) == (one, one)
    with open_state(url) as later:
        assert later.secrets.known("a") is None
        assert later.secrets.of("a") == one
    with pytest.raises(UsageError, match="name has 101 characters"):
        state.secrets.of("n" * 101)


def test_two_databases_have_two_secrets(new_url: Callable[[], str]) -> None:
    found = set()
    for _ in range(2):
        with open_state(new_url()) as state:
            found.add(state.secrets.of("tickets"))
    assert len(found) == 2


def test_the_database_is_asked_once_and_what_is_new_waits_for_the_disk(
    state: State, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_state(url) as other:
        asked: list[Any] = []
        for one in (state, other):
            for name in ("reading", "writing"):
                real = getattr(one.database, name)
                said = lambda name=name, real=real, **words: (asked.append((name, words)), real(**words))[1]  # noqa: E731
                monkeypatch.setattr(one.database, name, said)
        for one in (state, state, other, other):
            one.secrets.of("tickets")
    assert asked == [("reading", {}), ("writing", {}), ("reading", {})]


def test_threads_that_ask_at_once_get_the_same(new_url: Callable[[], str]) -> None:
    url = new_url()
    migrate(url)
    found: list[object] = []
    together = threading.Barrier(6)

    def ask() -> None:
        with open_state(url) as state:
            together.wait()
            try:
                found.append(state.secrets.of("tickets"))
            except BaseException as error:
                found.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert isinstance(found[0], bytes)


@pytest.mark.slow
@pytest.mark.parametrize("old", [False, True])
def test_processes_that_come_up_at_once_get_the_same(new_url: Callable[[], str], old: bool) -> None:
    """On a new database, and on one of before there were secrets: all come up."""
    url = new_url()
    if old:
        make_old_database(url)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen([sys.executable, "-c", ASKS, url], text=True, **pipes) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n", process.communicate()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60) for process in processes]
    assert [error for _, error in told] == [""] * 4
    with open_state(url) as state:
        assert {out.strip() for out, _ in told} == {state.secrets.of("tickets").hex()}


def test_a_locked_database_is_said_and_nothing_is_taken_for_a_secret(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with open_state(url, busy_timeout_s=0.05) as state, open_state(url) as other:
        with other.database.writing(), pytest.raises(StateBusyError, match="locked"):
            state.secrets.of("tickets")
        assert state.secrets.known("tickets") is None
        assert state.secrets.of("tickets") == other.secrets.of("tickets")


def test_pruning_leaves_it(state: State, clock: Clock) -> None:
    secret = state.secrets.of("tickets")
    clock.now_ms = T0 + 1000 * DAY
    prune(state, clock.now_ms)
    assert describe(state).rows["secrets"] == 1
    with open_state(state.database.address.url.render_as_string(hide_password=False)) as later:
        assert later.secrets.of("tickets") == secret


@pytest.mark.parametrize("name", ["copy.db", "copy.jsonl.gz"])
def test_no_backup_holds_it(state: State, url: str, kind: str, tmp_path: Path, name: str) -> None:
    if kind == "postgresql" and name == "copy.db":
        return
    fill(state)
    secret = state.secrets.of("tickets")
    data = backup(url, tmp_path / name).path.read_bytes()
    data = gzip.decompress(data) if name.endswith(".gz") else data
    for form in (secret, secret.hex().encode(), base64.b64encode(secret), b'"secrets"'):
        assert form not in data
    assert sorted(one.name for one in tmp_path.iterdir() if one.name.startswith(("copy", "."))) == [name]
    assert b"the greenhouse" in data
    with open_state(url) as later:
        assert later.secrets.of("tickets") == secret


def test_a_backup_file_that_is_used_as_a_database_makes_a_new_one(tmp_path: Path) -> None:
    with open_state(f"sqlite:///{tmp_path}/a.db") as state:
        secret = state.secrets.of("tickets")
        made = backup(f"sqlite:///{tmp_path}/a.db", tmp_path / "b.db")
    with open_state(f"sqlite:///{made.path}") as state:
        assert state.secrets.of("tickets") != secret


def test_what_holds_nothing_but_a_secret_is_empty_and_keeps_it(
    state: State, url: str, tmp_path: Path
) -> None:
    with open_state(f"sqlite:///{tmp_path}/source.db") as source:
        fill(source)
        theirs = source.secrets.of("tickets")
        made = backup(f"sqlite:///{tmp_path}/source.db", tmp_path / "made.jsonl.gz").path
    ours = state.secrets.of("tickets")
    assert restore(made, url).rows["predictions"] == 2
    with pytest.raises(ConflictError, match="is not empty"):
        restore(made, url)
    restore(made, url, force=True)
    with open_state(url) as later:
        assert later.secrets.of("tickets") == ours != theirs


def test_no_secret_comes_in_with_a_file(state: State, url: str, tmp_path: Path) -> None:
    """Whoever made the file would know it. A copy that was made past us is taken without it."""
    source, copied = f"sqlite:///{tmp_path}/source.db", tmp_path / "copied.db"
    with open_state(source) as there:
        fill(there)
        planted = there.secrets.of("tickets")
    copied.write_bytes((tmp_path / "source.db").read_bytes())
    assert planted in copied.read_bytes()
    restore(copied, url)
    assert state.secrets.of("tickets") != planted
    dump = backup(source, tmp_path / "made.jsonl.gz").path
    lines = gzip.decompress(dump.read_bytes()).decode().splitlines()
    row = {"name": "tickets", "created_ms": 0, "value": base64.b64encode(planted).decode()}
    lines[-1] = json.dumps({"end": {**json.loads(lines[-1])["end"], "secrets": 1}})
    lines.insert(1, json.dumps({"table": "secrets", "row": row}))
    dump.write_bytes(gzip.compress("\n".join(lines).encode()))
    with pytest.raises(StateError, match="unknown table"):
        restore(dump, url, force=True)


def test_a_table_of_another_program_that_is_called_so_is_copied_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE secrets (recipe)")
        connection.execute("INSERT INTO secrets VALUES ('a pinch of salt')")
        connection.commit()
    made = backup(f"sqlite:///{tmp_path}/other.db", tmp_path / "copy.db")
    with closing(sqlite3.connect(made.path)) as connection:
        assert connection.execute("SELECT * FROM secrets").fetchall() == [("a pinch of salt",)]


def test_the_clock_says_when_it_was_made(state: State, clock: Clock) -> None:
    state.secrets.of("tickets")
    with state.database.reading() as connection:
        made_ms = connection.execute(text("SELECT created_ms FROM secrets")).scalar_one()
    assert made_ms == clock.now_ms
