"""The steps and the tables agree; a newer or foreign database is refused; half a migration is none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import inspect, text
from tests.state.made_records import all_rows, fill
from tests.state.old_databases import COUNTS, OLD, make_old_database

from leafsight.errors import StateError
from leafsight.state import Migrated, describe, migrate, migrating, open_state
from leafsight.state.addresses import Address
from leafsight.state.database import Database
from leafsight.state.tables import METADATA, REVISION, REVISIONS

NewUrl = Callable[[], str]


def opened(url: str) -> Database:
    return Database(Address(url), busy_timeout_s=5.0, pooled=False)


def shape(database: Database) -> dict[str, Any]:
    """Columns, keys and indexes of every table but Alembic's, as the database tells them."""
    with database.reading() as connection:
        told = inspect(connection)
        return {
            name: {
                "columns": [
                    (one["name"], str(one["type"]), one["nullable"]) for one in told.get_columns(name)
                ],
                "key": told.get_pk_constraint(name),
                "foreign": told.get_foreign_keys(name),
                "indexes": sorted(
                    [(one["name"], one["column_names"], one["unique"]) for one in told.get_indexes(name)]
                ),
                "where": sorted(
                    str(condition)
                    for one in told.get_indexes(name)
                    for key, condition in one.get("dialect_options", {}).items()
                    if key.endswith("_where")
                ),
            }
            for name in sorted(told.get_table_names())
            if name != "alembic_version"
        }


def test_the_steps_make_the_tables_that_the_code_knows(new_url: NewUrl) -> None:
    by_steps, at_once = opened(new_url()), opened(new_url())
    migrate(by_steps.address.url.render_as_string(hide_password=False))
    with at_once.writing() as connection:
        METADATA.create_all(connection)
    assert shape(by_steps) == shape(at_once)
    assert set(shape(by_steps)) == set(METADATA.tables)


def test_alembic_sees_no_difference(new_url: NewUrl) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    url = new_url()
    migrate(url)
    with opened(url).reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_the_newest_step_is_the_one_that_the_code_names() -> None:
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory(str(migrating.STEPS))
    assert steps.get_heads() == [REVISION]
    assert tuple(step.revision for step in steps.walk_revisions())[::-1] == REVISIONS
    assert [step.revision for step in steps.walk_revisions()] == sorted(
        (step.revision for step in steps.walk_revisions()), reverse=True
    )


def test_an_empty_database_is_made_and_a_second_time_is_nothing(new_url: NewUrl) -> None:
    url = new_url()
    assert migrate(url) == Migrated(None, REVISION)
    assert migrate(url) == Migrated(REVISION, REVISION)


@pytest.mark.parametrize("revision", OLD)
def test_a_database_of_an_older_revision_is_brought_up_to_date_and_keeps_its_rows(
    new_url: NewUrl, revision: str
) -> None:
    url = new_url()
    make_old_database(url, revision)
    with open_state(url) as state:
        assert describe(state).revision == REVISION
        assert state.predictions.get(OLD[revision]) is not None
        assert {name: len(some) for name, some in all_rows(state).items() if some} == COUNTS
    assert migrate(url) == Migrated(REVISION, REVISION)


def test_a_step_that_fails_leaves_the_old_database_as_it_was(
    new_url: NewUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, run = new_url(), migrating._run_steps
    make_old_database(url)
    before = shape(opened(url))

    def fail(connection: Any, to: str) -> None:
        run(connection, to)
        raise StateError("the power went")

    monkeypatch.setattr(migrating, "_run_steps", fail)
    with pytest.raises(StateError, match="the power went"):
        open_state(url)
    assert shape(opened(url)) == before
    monkeypatch.undo()
    assert migrate(url) == Migrated("0001", REVISION)


def test_a_revision_that_never_was_is_refused(new_url: NewUrl) -> None:
    url = new_url()
    migrate(url)
    with opened(url).writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(StateError, match="revision 0000, which leafsight never had"):
        open_state(url)


def test_a_newer_database_is_refused_and_left_alone(new_url: NewUrl) -> None:
    url = new_url()
    with open_state(url) as state:
        fill(state)
        before = all_rows(state)
        with state.database.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        for refused in (open_state, migrate):
            with pytest.raises(StateError, match="made by a newer leafsight") as caught:
                refused(url)
            assert "pip install -U leafsight" in caught.value.hint
        assert all_rows(state) == before
        assert describe(state).revision == "9999"


def test_tables_of_another_program_are_left_alone(new_url: NewUrl) -> None:
    url = new_url()
    with opened(url).writing() as connection:
        connection.execute(text("CREATE TABLE jobs (id INTEGER)"))
    with pytest.raises(StateError, match="tables of another program: jobs") as caught:
        open_state(url)
    assert "of its own" in caught.value.hint


def test_a_migration_that_fails_half_way_leaves_nothing(
    new_url: NewUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, run = new_url(), migrating._run_steps

    def fail(connection: Any, to: str) -> None:
        run(connection, to)
        raise StateError("the power went")

    monkeypatch.setattr(migrating, "_run_steps", fail)
    with pytest.raises(StateError, match="the power went"):
        migrate(url)
    with opened(url).reading() as connection:
        assert inspect(connection).get_table_names() == []
    monkeypatch.undo()
    assert migrate(url).before is None


@pytest.mark.parametrize("old", [False, True])
def test_threads_that_migrate_at_once(new_url: NewUrl, old: bool) -> None:
    url = new_url()
    if old:
        make_old_database(url)
    done: list[object] = []
    together = threading.Barrier(4)

    def start() -> None:
        together.wait()
        try:
            with open_state(url) as state:
                state.keys.make("n", ["predict"])
            done.append("fine")
        except BaseException as error:
            done.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == ["fine"] * 4
    with open_state(url) as state:
        assert len(state.keys.list()) == 4 + old


def test_a_percent_sign_in_the_path_of_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    import shutil

    folder = tmp_path / "100% leaf" / "migrations"
    shutil.copytree(migrating.STEPS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrating, "STEPS", folder)
    assert migrate(f"sqlite:///{tmp_path}/x.db").now == REVISION
