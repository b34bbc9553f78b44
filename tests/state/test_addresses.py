"""Addresses as people write them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from leafsight.errors import MissingExtraError, UsageError
from leafsight.state.addresses import Address


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_spelling_of_postgresql(scheme: str) -> None:
    address = Address(f"{scheme}://leaf:se%40cret@db:5433/leaves?sslmode=require")
    assert (address.kind, address.url.drivername) == ("postgresql", "postgresql+psycopg")
    assert (address.url.password, address.url.query["sslmode"]) == ("se@cret", "require")


def test_a_password_is_never_shown() -> None:
    shown = str(Address("postgres://leaf:hunter2@db/leaves?password=hunter2"))
    assert shown == "the database postgresql://leaf:***@db/leaves"


def test_a_sqlite_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert Address("sqlite:///a b%.db").path == tmp_path / "a b%.db"
    assert Address(f"sqlite:///{tmp_path}/x.db").path == tmp_path / "x.db"
    assert Address("sqlite:///~/x.db").path == tmp_path / "home" / "x.db"
    assert str(Address("sqlite:////srv/x.db")) == "the database /srv/x.db"


@pytest.mark.parametrize(
    "text",
    [
        "", "leafsight.db", "sqlite://", "sqlite:///:memory:", "sqlite://host/x.db", "sqlite:///x.db?mode=ro",
        "mysql://u:hunter2@h/d", "postgresql+psycopg2://u:hunter2@h/d", "postgresql://u:hunter2@h:port/d",
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Address(text)
    assert "hunter2" not in caught.value.message
    assert "sqlite:///" in caught.value.hint


def test_postgresql_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match="psycopg"):
        Address("postgresql://u@h/d")
