"""The database in good and broken worlds: SQLite and a real PostgreSQL."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.doctor.conftest import make_read_only, states, the
from tests.state.old_databases import make_old_database

from leafsight.doctor import Finding, Installation
from leafsight.doctor.clocks import wall_clock_ms
from leafsight.doctor.database import check_database
from leafsight.state import JobRecord, migrate, new_id, open_state

if TYPE_CHECKING:
    from tests.state.own_postgres import OwnPostgres

Changed = Callable[..., Installation]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, here: Installation) -> str:
    """The address of a database that is not made yet."""
    if request.param == "postgresql":
        server: OwnPostgres = request.getfixturevalue("postgres")
        return server.new_database()
    here.state_dir.mkdir()
    return here.database_url


def look(here: Installation, *, off_ms: int = 0, disk: str = "ext4") -> list[Finding]:
    return list(check_database(here, wait_s=1, now=lambda: wall_clock_ms() + off_ms, disk=lambda path: disk))


def test_a_file_that_is_not_there_is_not_made(here: Installation, tmp_path: Path) -> None:
    assert states(look(here)) == {"database.reached": "ok", "database.keys": "ok"}
    assert "will be made at the first start" in look(here)[0].said
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_made(changed: Changed, small_disk: Callable[..., Path]) -> None:
    folder = small_disk()
    make_read_only(folder)
    [one] = look(changed(database_url=f"sqlite:///{folder}/state/leafsight.db"))
    assert (one.name, one.state) == ("database.reached", "fail")
    assert "cannot be written" in one.said


def test_a_database_that_is_fine(changed: Changed, url: str) -> None:
    migrate(url)
    found = look(changed(database_url=url))
    assert set(states(found).values()) == {"ok"}
    assert {"database.revision", "database.writes", "database.keys", "jobs.waiting"} <= set(states(found))
    with open_state(url) as state:
        assert state.marks.get("doctor") is None  # and no other row of ours
        with state.database.reading() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM marks").scalar_one() == 0


def test_postgresql_tells_its_version_its_connections_and_its_clock(
    changed: Changed, postgres: OwnPostgres
) -> None:
    url = postgres.new_database()
    migrate(url)
    found = look(changed(database_url=url))
    assert "PostgreSQL 1" in the(found, "database.reached").said
    assert " of 97 connections" in the(found, "database.connections").said
    assert the(found, "clock.database").state == "ok"
    crowded = the(look(changed(database_url=url, workers=12)), "database.connections")
    assert (crowded.state, "up to 120" in crowded.said) == ("warn", True)


@pytest.mark.parametrize(("off_s", "state"), [(0, "ok"), (7, "warn"), (-7, "warn"), (60, "fail")])
def test_the_clock_of_the_database(changed: Changed, postgres: OwnPostgres, off_s: int, state: str) -> None:
    found = look(changed(database_url=postgres.new_database()), off_ms=off_s * 1000)
    assert the(found, "clock.database").state == state


def test_an_older_database_is_not_migrated_by_looking(changed: Changed, url: str) -> None:
    make_old_database(url, "0002")
    one = the(look(changed(database_url=url)), "database.revision")
    assert one.state == "warn"
    assert "0002" in one.said
    assert "leafsight db migrate" in one.todo
    assert the(look(changed(database_url=url)), "database.revision").state == "warn"


def test_a_newer_database(changed: Changed, url: str) -> None:
    migrate(url)
    with open_state(url) as state, state.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    [one] = [one for one in look(changed(database_url=url)) if one.name == "database.reached"]
    assert one.state == "fail"
    assert "newer leafsight" in one.said
    assert "pip install -U leafsight" in one.todo


def test_a_database_of_another_program(changed: Changed, here: Installation) -> None:
    here.state_dir.mkdir()
    with closing(sqlite3.connect(here.state_dir / "leafsight.db")) as line:
        line.execute("CREATE TABLE jobs (x)")
    assert "tables of another program" in the(look(here), "database.reached").said


def test_a_locked_database_is_told_within_its_limit(here: Installation) -> None:
    migrate(here.database_url)
    with closing(sqlite3.connect(here.state_dir / "leafsight.db", isolation_level=None)) as line:
        line.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        one = the(look(here), "database.reached")
        assert time.monotonic() - started < 4
    assert (one.state, "locked" in one.said) == ("fail", True)
    assert "holds it open" in one.todo


def test_a_damaged_file(here: Installation) -> None:
    here.state_dir.mkdir()
    (here.state_dir / "leafsight.db").write_bytes(b"this was a database" * 500)
    one = the(look(here), "database.reached")
    assert (one.state, "damaged" in one.said) == ("fail", True)


def test_a_read_only_disk(changed: Changed, small_disk: Callable[..., Path]) -> None:
    folder = small_disk(options="size=4m")
    url = f"sqlite:///{folder}/leafsight.db"
    migrate(url)
    make_read_only(folder)
    one = the(look(changed(database_url=url)), "database.reached")
    assert one.state == "fail"


def test_a_full_disk(changed: Changed, small_disk: Callable[..., Path]) -> None:
    folder = small_disk(options="size=2m")
    url = f"sqlite:///{folder}/leafsight.db"
    migrate(url)
    subprocess.run(["dd", "if=/dev/zero", f"of={folder}/all", "bs=4k"], capture_output=True)
    one = the(look(changed(database_url=url)), "database.reached")
    assert (one.state, "full" in one.said or "failed under" in one.said) == ("fail", True)


def test_a_server_that_is_not_there_and_a_wrong_password(changed: Changed) -> None:
    gone = look(changed(database_url="postgresql://ann:secret99@127.0.0.1:9/x", database_chosen=True))
    [one] = gone
    assert one.state == "fail"
    assert "does not answer" in one.said
    assert "start PostgreSQL" in one.todo
    assert "secret99" not in one.said + one.todo


def test_a_network_disk_is_warned_of(here: Installation) -> None:
    migrate(here.database_url)
    assert "database.disk" not in states(look(here))
    one = the(look(here, disk="nfs4"), "database.disk")
    assert (one.state, "nfs4" in one.said) == ("warn", True)


def test_others_are_served_only_with_keys(changed: Changed, here: Installation) -> None:
    migrate(here.database_url)
    assert the(look(here), "database.keys").state == "ok"
    open_to_all = changed(host="0.0.0.0")
    one = the(look(open_to_all), "database.keys")
    assert one.state == "fail"
    assert "leafsight keys make" in one.todo
    assert the(look(changed(admin_host="10.0.0.1", admin_port=9)), "database.keys").state == "fail"
    assert the(look(changed(host="0.0.0.0", first_key=True)), "database.keys").state == "ok"
    with open_state(here.database_url) as state:
        state.keys.make("one", ["predict"])
    assert the(look(open_to_all), "database.keys").state == "ok"


def job(state: str, ago_min: float, **more: object) -> JobRecord:
    ms = wall_clock_ms() - int(ago_min * 60_000)
    words = {"created_ms": ms, "updated_ms": ms, "request": {}, **more}
    return JobRecord(id=new_id(ms), kind="retraining", state=state, **words)  # type: ignore[arg-type]


def test_jobs_that_wait_for_nobody_and_jobs_that_failed(changed: Changed, url: str) -> None:
    migrate(url)
    here = changed(database_url=url)
    with open_state(url) as state:
        state.jobs.add(job("queued", 1))
        assert the(look(here), "jobs.waiting").state == "ok"  # it may be taken any moment
        state.jobs.add(job("queued", 20))
        one = the(look(here), "jobs.waiting")
        assert one.state == "warn"
        assert "2 waiting jobs, one for 20 minutes" in one.said
        state.jobs.add(job("running", 0))
        assert the(look(here), "jobs.waiting").state == "ok"  # somebody works
        assert the(look(here), "jobs.failed").state == "ok"
        state.jobs.add(job("failed", 3000, error={"message": "long ago"}))
        assert the(look(here), "jobs.failed").state == "ok"
        state.jobs.add(job("failed", 30, error={"message": "too little memory"}))
        failed = the(look(here), "jobs.failed")
    assert failed.state == "warn"
    assert "1 job failed within a day; the newest, retraining: too little memory" in failed.said


def test_a_job_whose_holder_died_waits(changed: Changed, here: Installation) -> None:
    migrate(here.database_url)
    with open_state(here.database_url) as state:
        state.jobs.add(job("running", 20))
    assert the(look(here), "jobs.waiting").state == "warn"


def test_without_the_extra_it_is_skipped_unless_a_database_is_set(
    changed: Changed, here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    import leafsight.state

    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(vars(leafsight.state), "look_at_database", raising=False)
    [one] = look(here)
    assert (one.state, "leafsight[serve]" in one.todo) == ("skipped", True)
    assert look(changed(database_chosen=True))[0].state == "fail"
