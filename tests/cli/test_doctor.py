"""``leafsight doctor``: what a person and a program see of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.journeys.small_world import Outcome, leafsight

from leafsight.doctor import NAMES

QUICK = ("--only", "settings", "--only", "disk")


def doctor(folder: Path, *words: object) -> Outcome:
    return leafsight("doctor", "-q", "--state-dir", folder / "state", *words, folder=folder)


def test_groups_marks_and_a_last_line(tmp_path: Path) -> None:
    done = doctor(tmp_path, *QUICK)
    lines = done.out.splitlines()
    assert done.code == 0
    assert [line for line in lines if line and not line.startswith(" ")][:2] == ["settings", "disk"]
    assert any(line.startswith("  ok    state ") for line in lines)
    assert lines[-1].endswith("nothing to do")
    assert done.err == ""
    assert not (tmp_path / "state").exists()


def test_faults_of_the_settings_are_findings_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFSIGHT_PROT", "1")
    monkeypatch.setenv("LEAFSIGHT_WORKERS", "many")
    (tmp_path / "leafsight.toml").write_text('port = 8123\nhots = "0.0.0.0"\n')
    found = doctor(tmp_path, *QUICK, "--json")
    faults = [one for one in found.json["findings"] if one["name"] == "settings.read"]
    assert found.code == 1
    assert [(one["state"], one["todo"]) for one in faults] == [
        ("fail", "did you mean host?"),
        ("fail", "did you mean LEAFSIGHT_PORT?"),
        ("fail", "correct LEAFSIGHT_WORKERS"),
    ]
    [chosen] = [one["said"] for one in found.json["findings"] if one["name"] == "settings.set"]
    assert "port=8123 (leafsight.toml)" in chosen
    assert "workers" not in chosen
    assert any(one["name"] == "disk.state" for one in found.json["findings"])
    assert found.json["first"]["name"] == "settings.read"


def test_a_settings_file_that_is_no_toml(tmp_path: Path) -> None:
    (tmp_path / "leafsight.toml").write_text("port = = 1")
    done = doctor(tmp_path, "--only", "settings")
    assert done.code == 1
    assert "not valid TOML" in done.out


def test_secrets_are_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("hunter22", "tr%40velled", "tr@velled", "lskey99", "wherealerts")
    (tmp_path / "leafsight.toml").write_text('key = "lskey99"\nalert_url = "https://x/wherealerts"\n')
    (tmp_path / "leafsight.toml").chmod(0o644)
    monkeypatch.setenv(
        "LEAFSIGHT_DATABASE_URL", "postgresql://ann:tr%40velled@127.0.0.1:9/x?password=hunter22"
    )
    monkeypatch.setenv("LEAFSIGHT_REGISTRY_URL", "s3://ann:hunter22@bucket/x")
    for words in ((), ("--json",)):
        done = doctor(tmp_path, *words)
        assert done.code == 1
        for secret in secrets:
            assert secret not in done.out + done.err
        assert "does not answer" in done.out, done.out
    assert "chmod 600" in done.out


def test_strict_counts_warnings(tmp_path: Path) -> None:
    (tmp_path / "leafsight.toml").write_text('key = "lskey99"\n')
    (tmp_path / "leafsight.toml").chmod(0o644)
    words = ("--only", "permissions.secrets")
    assert doctor(tmp_path, *words).code == 0
    assert doctor(tmp_path, *words, "--strict").code == 1
    assert "1 warning, 0 failures" in doctor(tmp_path, *words).out


def test_a_check_that_there_is_not(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--only", "databse")
    assert done.code == 2
    assert "did you mean 'database'?" in done.err
    assert all(name in done.err for name in NAMES)
    assert "--url" in doctor(tmp_path, "--only", "server").err


def test_the_server_is_asked_when_its_address_is_given(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--only", "server", "--url", "http://127.0.0.1:9", "--json")
    assert done.code == 1
    assert [one["name"] for one in done.json["findings"]] == ["server.answers"]
    wrong = doctor(tmp_path, "--only", "server", "--url", "http://ann:hunter22@leaf.example")
    assert (wrong.code, "hunter22" in wrong.out + wrong.err) == (1, False)


def test_progress_goes_to_stderr(tmp_path: Path) -> None:
    done = leafsight("doctor", "--state-dir", tmp_path, *QUICK, folder=tmp_path)
    assert "looking: started" in done.err
    assert "looking" not in done.out
