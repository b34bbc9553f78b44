"""What Ray is told by the environment before it is loaded."""

from __future__ import annotations

from pathlib import Path

from leafsight.cluster.environment import prepare_environment


def test_nobody_is_told_and_what_a_person_set_stays(tmp_path: Path) -> None:
    environment = {"RAY_TRAIN_METRICS_ENABLED": "1"}
    prepare_environment(environment, tmp_path)
    assert environment["RAY_USAGE_STATS_ENABLED"] == "0"
    assert environment["RAY_TRAIN_METRICS_ENABLED"] == "1"
    assert "RAY_AUTH_MODE" not in environment


def test_a_key_that_is_there_is_used(tmp_path: Path) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("key")
    for given in (
        {},
        {"RAY_AUTH_TOKEN": "key"},
        {"RAY_AUTH_TOKEN_PATH": str(tmp_path / ".ray" / "auth_token")},
    ):
        environment = dict(given)
        prepare_environment(environment, tmp_path if not given else tmp_path / "elsewhere")
        assert environment["RAY_AUTH_MODE"] == "token"


def test_who_switched_keys_off_is_heard(tmp_path: Path) -> None:
    environment = {"RAY_AUTH_MODE": "disabled", "RAY_AUTH_TOKEN": "key"}
    prepare_environment(environment, tmp_path)
    assert environment["RAY_AUTH_MODE"] == "disabled"
