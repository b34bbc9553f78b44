from __future__ import annotations

import pytest

from leafsight import errors
from leafsight.errors import ConfigError, Fault, LeafsightError

CLASSES = [
    value
    for name in errors.__all__
    if isinstance(value := getattr(errors, name), type) and issubclass(value, LeafsightError)
]


def test_every_error_has_its_own_slug() -> None:
    slugs = [error.slug for error in CLASSES]
    assert len(set(slugs)) == len(slugs)


@pytest.mark.parametrize("error", CLASSES)
def test_exit_codes_and_statuses_are_the_agreed_ones(error: type[LeafsightError]) -> None:
    assert error.exit_code in {1, 2}
    assert 400 <= error.http_status <= 599


def test_an_error_says_the_same_in_every_rendering() -> None:
    error = errors.DatasetError("no photographs in /x", hint="name a folder of class folders")
    assert str(error) == "no photographs in /x"
    assert error.as_dict() == {
        "type": "dataset",
        "status": 422,
        "message": "no photographs in /x",
        "hint": "name a folder of class folders",
    }


def test_config_error_lists_every_fault() -> None:
    faults = [Fault("a.toml", "epochs", "'x'", "a number"), Fault("a.toml", "lr", "nothing", "a value", "rl")]
    text = str(ConfigError("a.toml: 2 faults", faults=faults))
    assert "epochs: got 'x', wanted a number" in text
    assert "did you mean 'rl'?" in text


def test_who_cannot_install_is_not_told_only_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert errors.MissingExtraError("pyarrow", "train").hint == "pip install 'leafsight[train]'"
    monkeypatch.setattr("sys.frozen", True, raising=False)
    hint = errors.MissingExtraError("pyarrow", "train").hint
    assert hint == "the standalone program was built without it; with Python: pip install 'leafsight[train]'"
