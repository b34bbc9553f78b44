"""Secret settings in files of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from leafsight.errors import ConfigError
from leafsight.settings import load_settings, origins

URL = "postgresql://me:pass word@db/leaves"


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_stands_in_a_file(tmp_path: Path, ending: str) -> None:
    (tmp_path / "url").write_bytes((URL + ending).encode())
    environment = {"LEAFSIGHT_DATABASE_URL_FILE": str(tmp_path / "url")}
    assert load_settings(tmp_path, environment).database_url == URL
    assert origins(tmp_path, environment)["database_url"] == "LEAFSIGHT_DATABASE_URL_FILE"
    assert "database_url_file" not in origins(tmp_path, environment)


def test_only_secrets_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="LEAFSIGHT_HOST_FILE"):
        load_settings(tmp_path, {"LEAFSIGHT_HOST_FILE": str(tmp_path / "host")})


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (None, "a file that can be read"),
        (b"", "not empty"),
        (b"\n", "not empty"),
        (b"\xff\xfe", "one line of text"),
        (b"secret\nsecret", "one line"),
        (b"secret" * 1000, "at most 2000"),
    ],
)
def test_a_file_that_is_no_secret_is_a_fault_that_shows_none(
    tmp_path: Path, content: bytes | None, wanted: str
) -> None:
    path = tmp_path / "url"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as told:
        load_settings(tmp_path, {"LEAFSIGHT_DATABASE_URL_FILE": str(path)})
    [fault] = told.value.faults
    assert wanted in fault.wanted
    assert "secretsecret" not in str(told.value)


def test_only_one_of_both_is_given(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ls_x")
    given = {"LEAFSIGHT_KEY": "ls_y", "LEAFSIGHT_KEY_FILE": str(tmp_path / "key")}
    with pytest.raises(ConfigError, match="only one of both"):
        load_settings(tmp_path, given)
