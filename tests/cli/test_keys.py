"""``leafsight keys``, and where the server's things are when nobody says so."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.journeys.small_world import leafsight

from leafsight.cli import places
from leafsight.cli.keys import make
from leafsight.settings import Settings
from leafsight.state import SCOPES, open_state


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'state.db'}"


def test_the_secret_is_shown_once_and_opens_the_service(url: str, tmp_path: Path) -> None:
    done = leafsight(
        "keys", "make", "phone app", "--scope", "upload", "--scope", "predict", "--database", url
    )
    assert done.code == 0
    token = done.out.strip()
    assert re.fullmatch(r"ls_[0-9a-f]{32}_[0-9a-f]{64}", token)
    assert "opens: predict, upload" in done.err
    assert "not shown again" in done.err
    with open_state(url) as state:
        record = state.keys.verify(token)
    assert record is not None
    assert (record.name, record.scopes, record.rate_per_minute) == ("phone app", ("predict", "upload"), None)
    secret = token.rpartition("_")[2]
    listed = leafsight("keys", "ls", "--database", url)
    assert "phone app" in listed.out
    assert secret not in listed.out + listed.err + done.err
    assert all(secret.encode() not in path.read_bytes() for path in tmp_path.iterdir())


def test_what_json_says(url: str) -> None:
    made = leafsight(
        "keys", "make", "a", "--rate", 60, "--photographs-per-day", 500, "--database", url, "--json"
    ).json
    token = made.pop("key")
    assert made["scopes"] == ["predict"]
    assert (made["rate_per_minute"], made["photographs_per_day"], made["revoked_ms"]) == (60, 500, None)
    assert leafsight("keys", "ls", "--database", url, "--json").json == [made]
    assert token.split("_")[1] == made["id"]


def test_a_revoked_key_opens_nothing_and_stays_in_the_list(url: str) -> None:
    made = leafsight("keys", "make", "a", "--database", url, "--json").json
    done = leafsight("keys", "revoke", made["id"], "--database", url)
    assert (done.code, done.out) == (0, f"{made['id']} is revoked (a)\n")
    again = leafsight("keys", "revoke", made["id"], "--database", url, "--json")
    assert again.code == 0
    with open_state(url) as state:
        assert state.keys.verify(made["key"]) is None
        assert state.keys.any()
    assert leafsight("keys", "ls", "--database", url, "--json").json == [again.json]


def test_the_table_tells_limits_and_times(url: str) -> None:
    leafsight("keys", "make", "tab\tbed", "--rate", 5, "--database", url)
    columns, row = leafsight("keys", "ls", "--database", url).out.splitlines()
    assert columns.split("\t")[1:] == [
        "name", "opens", "made", "requests a minute", "photographs a day", "revoked",
    ]  # fmt: skip
    cells = row.split("\t")
    assert cells[1:3] == ["tab\\tbed", "predict"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", cells[3])
    assert cells[4:] == ["5", "no limit", ""]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("make", "a", "--scope", "everything"), 2, "everything"),
        (("make", "a", "--rate", "0"), 2, "--rate"),
        (("make", "a", "--photographs-per-day", "-1"), 2, "--photographs-per-day"),
        (("make", " "), 2, "a key needs a name"),
        (("make",), 2, "NAME"),
        (("revoke", "0" * 32), 1, "there is no key"),
        (("revoke", "nonsense"), 1, "there is no key"),
        (("ls", "--database", "mysql://host/x"), 2, "mysql"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_else(
    url: str, words: tuple[str, ...], code: int, told: str
) -> None:
    leafsight("db", "migrate", "--database", url)
    done = leafsight("keys", *words, *(() if "--database" in words else ("--database", url)))
    assert (done.code, done.out) == (code, "")
    assert len(done.err.splitlines()) <= 2
    assert told in done.error_lines[0]


def test_the_scopes_are_those_of_the_state() -> None:
    scope = next(one for one in make.params if one.name == "scopes")
    assert tuple(scope.type.choices) == SCOPES  # type: ignore[attr-defined]


def test_without_options_everything_is_in_the_state_folder(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    assert places.database_url(settings) == f"sqlite:///{tmp_path}/leafsight.db"
    assert places.blob_url(settings) == f"{tmp_path}/blobs"
    assert places.registry_dir(settings) == tmp_path / "registry"
    leafsight("keys", "make", "a", "--state-dir", tmp_path)
    with closing(sqlite3.connect(tmp_path / "leafsight.db")) as opened:
        assert opened.execute("SELECT name FROM keys").fetchall() == [("a",)]


def test_addresses_that_are_set_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(state_dir=tmp_path, database_url="postgresql://host/x", blob_url="s3://bucket")
    assert places.database_url(settings) == "postgresql://host/x"
    assert places.blob_url(settings) == "s3://bucket"
    monkeypatch.setenv("LEAFSIGHT_STATE_DIR", str(tmp_path / "other"))
    assert leafsight("keys", "make", "b").code == 0
    assert (tmp_path / "other" / "leafsight.db").exists()


@pytest.mark.parametrize("words", [("ls",), ("revoke", "0" * 32)])
def test_a_mistyped_database_is_not_made(url: str, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = leafsight("keys", *words, "--database", url)
    assert done.code == 1
    assert done.error_lines[0] == f"error: there is no database {tmp_path / 'state.db'}"
    assert list(tmp_path.iterdir()) == []
