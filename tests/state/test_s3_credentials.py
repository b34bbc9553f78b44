"""Credentials for a bucket in a file, as other programs for S3 have them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.state.moto_server import s3_url, shared_moto

from leafsight.errors import ConfigError
from leafsight.state import open_blobs
from leafsight.state.s3_credentials import credentials_in_file

FILE = "[default]\naws_access_key_id = nobody\naws_secret_access_key = no%thing\n"


def test_the_file_is_read_when_no_variable_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "credentials").write_text(FILE)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    blobs = open_blobs(s3_url(shared_moto(), "with-a-file"))
    blobs.put("a", b"1")
    assert blobs.get("a") == b"1"


def test_variables_win_and_a_profile_may_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text(FILE + "[other]\naws_access_key_id=x\naws_secret_access_key=y\naws_session_token=z\n")
    named = {"AWS_SHARED_CREDENTIALS_FILE": str(path)}
    assert credentials_in_file(named) == {"access_key_id": "nobody", "secret_access_key": "no%thing"}
    assert credentials_in_file({**named, "AWS_PROFILE": "other"}) == {
        "access_key_id": "x", "secret_access_key": "y", "session_token": "z",
    }  # fmt: skip
    assert credentials_in_file({**named, "AWS_ACCESS_KEY_ID": "mine"}) == {}
    assert credentials_in_file({}) == {}


@pytest.mark.parametrize(
    "content",
    [None, "", "no section = secret\n", "[default]\naws_secret_access_key = secret\n", "[default\nsecret"],
)
def test_a_file_without_any_is_an_error_that_shows_nothing_of_it(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "credentials"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError) as told:
        credentials_in_file({"AWS_SHARED_CREDENTIALS_FILE": str(path)})
    assert told.value.hint
    assert "secret =" not in str(told.value)
    assert (
        told.value.__context__ is None
        or isinstance(told.value.__context__, OSError)
        or (told.value.__suppress_context__)
    )
