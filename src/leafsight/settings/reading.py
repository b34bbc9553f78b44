"""Defaults < ``leafsight.toml`` < ``LEAFSIGHT_*`` < flags; every fault of every source at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leafsight.errors import ConfigError, Fault, validated
from leafsight.settings.values import Settings

FILE_NAME = "leafsight.toml"
PREFIX = "LEAFSIGHT_"
MAX_FILE_BYTES = 1024 * 1024
# Switches of the programs around us that share our prefix but are no settings.
NOT_SETTINGS = frozenset({"LEAFSIGHT_COMPLETE"})


def load_settings(
    folder: Path, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings that hold in ``folder``.

    Args:
        folder: where ``leafsight.toml`` is looked for; it may be absent.
        environment: usually ``os.environ``; keys that start with ``LEAFSIGHT_`` count.
        flags: values from the command line; ``None`` values mean "not given".

    Raises:
        ConfigError: with every fault of the file and the environment, each naming its source.
    """
    from_file, from_environment = _read_file(folder / FILE_NAME), _read_environment(environment)
    faults: list[Fault] = []
    for where, values in ((str(folder / FILE_NAME), from_file), ("environment", from_environment)):
        try:
            validated(Settings, values, where)
        except ConfigError as error:
            faults.extend(_as_typed(fault, where) for fault in error.faults)
    if faults:
        raise ConfigError("the settings have faults", faults=faults, hint="leafsight config check shows them")
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    settings = validated(Settings, {**from_file, **from_environment, **given}, "settings")
    return settings.model_copy(update={"cache_dir": settings.cache_dir.expanduser()})


def origins(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """For each setting, the source that decides it: ``default``, the file's name or the variable's."""
    found = dict.fromkeys(Settings.model_fields, "default")
    found.update(dict.fromkeys(_read_file(folder / FILE_NAME), FILE_NAME))
    found.update({key: f"{PREFIX}{key.upper()}" for key in _read_environment(environment)})
    return found


def _as_typed(fault: Fault, where: str) -> Fault:
    if where != "environment":
        return fault
    close = f"{PREFIX}{fault.nearest.upper()}" if fault.nearest else ""
    return Fault(where, f"{PREFIX}{fault.key.upper()}", fault.got, fault.wanted, close)


def _read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    ours = {key: value for key, value in environment.items() if key.startswith(PREFIX)}
    return {key.removeprefix(PREFIX).lower(): value for key, value in ours.items() if key not in NOT_SETTINGS}


def _read_file(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", hint="correct the line it names") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
