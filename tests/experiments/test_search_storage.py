from __future__ import annotations

import sys
from pathlib import Path

import optuna
import pytest

from leafsight.errors import MissingExtraError, StateError, UsageError
from leafsight.experiments.search_storage import (
    database_errors_translated,
    open_storage,
    storage_url,
    without_optunas_warnings,
)


def opened(folder: Path, url: str = "") -> optuna.storages.RDBStorage:
    folder.mkdir(exist_ok=True)
    with without_optunas_warnings():
        return open_storage(url or storage_url(folder, None), 1, 1, lambda _: None)


def test_addresses(tmp_path: Path) -> None:
    assert storage_url(tmp_path, None) == f"sqlite:///{tmp_path / 'study.db'}"
    assert storage_url(tmp_path, "postgres://me@host/db") == "postgresql+psycopg://me@host/db"
    assert storage_url(tmp_path, "postgresql+psycopg://h/db") == "postgresql+psycopg://h/db"
    for wrong in ("mysql://me:secret@host/db", "secret", "postgresql://"):
        with pytest.raises(UsageError, match="no study can be kept") as caught:
            storage_url(tmp_path, wrong)
        assert "secret" not in f"{caught.value.message} {caught.value.hint}"
    with pytest.raises(UsageError, match="has a '\\?'"):
        storage_url(tmp_path / "why?", None)


def test_without_the_driver_its_pip_line_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match="psycopg"):
        storage_url(tmp_path, "postgresql://me@host/db")


def test_databases_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be used"), database_errors_translated():
        opened(tmp_path / "a", "postgresql+psycopg://me:secret@127.0.0.1:1/db")
    with pytest.raises(UsageError, match="cannot be read") as caught:
        opened(tmp_path / "b", "postgresql+psycopg://me:secret@host:port/db")
    assert "secret" not in str(caught.value)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "study.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StateError, match="not a database"), database_errors_translated():
        opened(tmp_path / "c")


def test_other_faults_stay_what_they_are() -> None:
    with pytest.raises(KeyError), database_errors_translated():
        raise KeyError("mine")
