"""``--first-key``: a new server makes a key by itself, once, and says it once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.journeys.small_world import leafsight
from tests.service.asking import ask_once
from tests.service.running import running_service

from leafsight.state import SCOPES, open_state

FIRST = re.compile(r"^first key: (ls_[0-9a-f]{32}_[0-9a-f]{64})$", re.M)
MIGRATE = "from leafsight.cli import main; main()"


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'leafsight.db'}"


def test_a_migration_makes_one_key_and_says_it_once(tmp_path: Path) -> None:
    done = leafsight("db", "migrate", "--state-dir", tmp_path, "--first-key")
    assert done.code == 0
    assert "ls_" not in done.out
    (token,) = FIRST.findall(done.err)
    (line,) = [line for line in done.err.splitlines() if "opens" in line]
    assert "predict, upload and admin" in line
    assert "not shown again" in line
    assert f"leafsight keys revoke {token.split('_')[1]}" in line
    with open_state(url_in(tmp_path)) as state:
        (record,) = state.keys.list()
        assert state.keys.verify(token) == record
    assert (record.name, record.scopes, record.rate_per_minute) == ("first", SCOPES, None)
    again = leafsight("db", "migrate", "--state-dir", tmp_path, "--first-key")
    assert (again.code, again.err) == (0, "")
    with open_state(url_in(tmp_path)) as state:
        assert state.keys.list() == (record,)


def test_json_has_it_and_stderr_has_not(tmp_path: Path) -> None:
    words = ("db", "migrate", "--state-dir", tmp_path, "--json")
    done = leafsight(*words, "--first-key")
    assert done.err == ""
    made = done.json["first_key"]
    assert (made["name"], made["scopes"]) == ("first", list(SCOPES))
    with open_state(url_in(tmp_path)) as state:
        assert state.keys.verify(made["key"]) is not None
    assert leafsight(*words, "--first-key").json["first_key"] is None
    assert "first_key" not in leafsight(*words).json


def test_the_setting_asks_for_it_too_and_without_either_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "first key" not in leafsight("db", "migrate", "--state-dir", tmp_path).err
    with open_state(url_in(tmp_path)) as state:
        assert not state.keys.any()
    monkeypatch.setenv("LEAFSIGHT_FIRST_KEY", "yes")
    assert FIRST.search(leafsight("db", "migrate", "--state-dir", tmp_path).err)
    monkeypatch.setenv("LEAFSIGHT_FIRST_KEY", "perhaps")
    assert leafsight("db", "migrate", "--state-dir", tmp_path).code == 2


def test_where_a_key_was_revoked_none_is_made(tmp_path: Path) -> None:
    made = leafsight("keys", "make", "a", "--state-dir", tmp_path, "--json").json
    leafsight("keys", "revoke", made["id"], "--state-dir", tmp_path)
    assert "first key" not in leafsight("db", "migrate", "--state-dir", tmp_path, "--first-key").err


def test_of_four_processes_that_start_at_once_one_makes_it(tmp_path: Path) -> None:
    words = [sys.executable, "-c", MIGRATE, "db", "migrate", "--state-dir", str(tmp_path), "--first-key"]
    four = [
        subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for _ in "1234"
    ]
    said = [one.communicate(timeout=60)[1] for one in four]
    assert [one.returncode for one in four] == [0] * 4, said
    (token,) = FIRST.findall("".join(said))
    with open_state(url_in(tmp_path)) as state:
        assert len(state.keys.list()) == 1
        assert state.keys.verify(token) is not None


@pytest.mark.slow
def test_a_server_says_it_at_its_first_start_and_lets_it_in(tmp_path: Path, colour_model: Path) -> None:
    words = ("--host", "0.0.0.0", "--first-key")
    with running_service(tmp_path / "state", colour_model, *words) as service:
        (token,) = FIRST.findall("".join(service.said))
        assert ask_once(service.port, "GET", "/v1/jobs")[0] == 401
        assert ask_once(service.port, "GET", "/v1/jobs", b"", {"authorization": f"Bearer {token}"})[0] == 200
    with running_service(tmp_path / "state", colour_model, *words) as service:
        assert "first key" not in "".join(service.said)
        assert ask_once(service.port, "GET", "/v1/jobs", b"", {"authorization": f"Bearer {token}"})[0] == 200
