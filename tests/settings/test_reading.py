from __future__ import annotations

from pathlib import Path

import pytest

from leafsight.errors import ConfigError
from leafsight.settings import load_settings, origins, usable_settings


def test_defaults_file_environment_flags_in_that_order(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}).threads == 0
    (tmp_path / "leafsight.toml").write_text('threads = 2\nruns_dir = "elsewhere"\n')
    assert load_settings(tmp_path, {}).threads == 2
    assert load_settings(tmp_path, {"LEAFSIGHT_THREADS": "3"}).threads == 3
    settings = load_settings(tmp_path, {"LEAFSIGHT_THREADS": "3"}, {"threads": 4, "model": None})
    assert settings.threads == 4
    assert settings.runs_dir == Path("elsewhere")


def test_origins_name_the_deciding_source(tmp_path: Path) -> None:
    (tmp_path / "leafsight.toml").write_text("threads = 2\n")
    found = origins(tmp_path, {"LEAFSIGHT_RUNS_DIR": "r"})
    assert found["threads"] == "leafsight.toml"
    assert found["runs_dir"] == "LEAFSIGHT_RUNS_DIR"
    assert found["model"] == "default"


def test_faults_of_file_and_environment_come_together(tmp_path: Path) -> None:
    (tmp_path / "leafsight.toml").write_text('thread = 2\nmax_image_bytes = "x"\n')
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {"LEAFSIGHT_TREADS": "1", "OTHER": "x"})
    by_key = {fault.key: fault for fault in caught.value.faults}
    assert by_key["thread"].nearest == "threads"
    assert "max_image_bytes" in by_key
    assert by_key["LEAFSIGHT_TREADS"].nearest == "LEAFSIGHT_THREADS"


def test_broken_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "leafsight.toml").write_text("threads =\n")
    with pytest.raises(ConfigError, match=r"leafsight\.toml is not valid TOML"):
        load_settings(tmp_path, {})


def test_home_is_expanded_in_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings(tmp_path, {}).cache_dir == tmp_path / ".cache" / "leafsight"


@pytest.mark.parametrize("value", ["-1", "2000", "many", "1.5", ""])
def test_numbers_are_checked(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {"LEAFSIGHT_THREADS": value})
    assert caught.value.faults[0].key == "LEAFSIGHT_THREADS"
    assert "at least 0" in caught.value.faults[0].wanted


def test_a_flag_out_of_range_is_a_fault_of_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {}, {"threads": 5000})
    assert caught.value.faults[0].where == "command line"


def test_a_choice_is_one_of_those_that_are_named(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"LEAFSIGHT_KEEP_PHOTOS": "never"}).keep_photos == "never"
    with pytest.raises(ConfigError, match="one of never, ask, always"):
        load_settings(tmp_path, {"LEAFSIGHT_KEEP_PHOTOS": "sometimes"})


def test_secrets_are_not_shown_and_not_repeated_in_faults(tmp_path: Path) -> None:
    environment = {"LEAFSIGHT_KEY": "ls_secret", "LEAFSIGHT_DATABASE_URL": "postgresql://me:secret@db/x"}
    settings = load_settings(tmp_path, environment)
    assert "secret" not in repr(settings.to_dict()) + repr(settings)
    with pytest.raises(ConfigError) as refused:
        load_settings(tmp_path, {"LEAFSIGHT_KEY": "secret\n"})
    assert "secret" not in str(refused.value)


def test_a_folder_that_cannot_be_looked_into_is_said_and_no_bug(tmp_path: Path) -> None:
    """As a folder of somebody else, which root may look into: a name that is too long fails the same way."""
    folder = tmp_path / ("x" * 300)
    with pytest.raises(ConfigError, match="File name too long"):
        load_settings(folder, {})


def test_what_can_be_used_of_faulty_settings(tmp_path: Path) -> None:
    (tmp_path / "leafsight.toml").write_text('port = 8123\nhots = "x"\n')
    settings, faults = usable_settings(
        tmp_path, {"LEAFSIGHT_WORKERS": "many"}, {"deadline_ms": 99, "key": None}
    )
    assert (settings.port, settings.workers, settings.deadline_ms) == (8123, 0, 99)
    assert [(fault.key, fault.nearest) for fault in faults] == [("hots", "host"), ("LEAFSIGHT_WORKERS", "")]
    (tmp_path / "leafsight.toml").write_text("port = = 1")
    settings, faults = usable_settings(tmp_path, {"LEAFSIGHT_PORT": "9"})
    assert (settings.port, len(faults)) == (9, 1)
    assert usable_settings(tmp_path / "none", {}) == (load_settings(tmp_path / "none", {}), ())
