"""DBOS as we use it: what ended is not done again, and nothing is unpickled."""

from __future__ import annotations

import pickle
import sqlite3
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS

from leafsight.errors import ConflictError, StateError
from leafsight.retraining import engine
from leafsight.retraining.failing import StepFailedError

DONE: list[str] = []
FAILING: dict[str, Exception] = {}


class Bomb:
    """Whoever unpickles this has run what somebody else wrote."""

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return DONE.append, ("boom",)


@DBOS.workflow(name="two-steps", max_recovery_attempts=None)
def two_steps(job: str) -> dict[str, Any]:
    one = engine.step("one", lambda: _do("one"))
    two = engine.step("two", lambda: _do("two"))
    return {"job": job, "done": [one["name"], two["name"]]}


def _do(name: str) -> dict[str, Any]:
    DONE.append(name)
    if name in FAILING:
        raise FAILING[name]
    return {"name": name}


@pytest.fixture(autouse=True)
def clean() -> None:
    DONE.clear()
    FAILING.clear()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'steps.sqlite'}"


def worked(url: str, job: str = "job-1") -> dict[str, Any]:
    with engine.running(url, job):
        return engine.result_of(two_steps, job)


def planted(url: str, sql: str, *values: Any) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    with connection:
        assert connection.execute(sql, values).rowcount > 0
    connection.close()


@pytest.mark.slow
def test_what_ended_is_not_done_again(url: str) -> None:
    first = worked(url)
    assert worked(url) == first == {"job": "job-1", "done": ["one", "two"]}
    assert DONE == ["one", "two"]


@pytest.mark.slow
def test_a_failed_step_is_told_the_same_way_later(url: str) -> None:
    FAILING["two"] = StepFailedError(ConflictError("no", hint="do this").as_dict())
    for _ in range(2):
        with pytest.raises(StepFailedError, match="no") as caught:
            worked(url)
        assert (caught.value.message, caught.value.hint) == ("no", "do this")
    assert DONE == ["one", "two"]


@pytest.mark.slow
def test_jobs_do_not_take_up_each_other(url: str) -> None:
    worked(url, "job-1")
    planted(url, "UPDATE workflow_status SET status = 'PENDING' WHERE workflow_uuid = 'job-1'")
    assert worked(url, "job-2")["job"] == "job-2"
    assert DONE == ["one", "two"] * 2


@pytest.mark.slow
def test_every_row_is_json(url: str) -> None:
    worked(url)
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    for table in ("workflow_status", "operation_outputs"):
        rows = connection.execute(f"SELECT DISTINCT serialization FROM {table}").fetchall()
        assert rows == [("portable_json",)], table
    connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("column", ["output", "error"])
def test_a_planted_step_is_refused_and_not_unpickled(url: str, column: str) -> None:
    worked(url)
    DONE.clear()
    bomb = b64encode(pickle.dumps(Bomb())).decode()
    planted(
        url,
        f"UPDATE operation_outputs SET output = NULL, {column} = ?, serialization = 'py_pickle'"
        " WHERE function_name = 'one'",
        bomb,
    )
    planted(url, "UPDATE workflow_status SET status = 'PENDING', output = NULL")
    with pytest.raises(Exception, match="not JSON"):
        worked(url)
    assert DONE == []


@pytest.mark.slow
@pytest.mark.parametrize("state", ["PENDING", "SUCCESS"])
def test_a_planted_workflow_is_refused_and_not_unpickled(url: str, state: str) -> None:
    worked(url)
    DONE.clear()
    bomb = b64encode(pickle.dumps(Bomb())).decode()
    planted(
        url,
        "UPDATE workflow_status SET inputs = ?, output = ?, serialization = 'py_pickle', status = ?",
        bomb,
        bomb,
        state,
    )
    with pytest.raises(Exception, match="not JSON") as caught:
        worked(url)
    assert DONE == []
    assert isinstance(caught.value, StateError) or "not JSON" in str(caught.value)
