"""Defaults < ``leafsight.toml`` < ``LEAFSIGHT_*`` < flags; every fault of every source at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leafsight.errors import ConfigError, Fault
from leafsight.settings.parsing import KNOWN, parsed
from leafsight.settings.secret_files import named_in_file, with_secret_files
from leafsight.settings.values import Settings

FILE_NAME = "leafsight.toml"
PREFIX = "LEAFSIGHT_"
HOMES = ("cache_dir", "state_dir")
"""Settings that may begin with ``~``."""
MAX_FILE_BYTES = 1024 * 1024
# Variables that share our prefix but belong to the shell's completion, not to us.
NOT_SETTINGS = frozenset({"LEAFSIGHT_COMPLETE"})


def load_settings(
    folder: Path, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings that hold in ``folder``.

    Args:
        folder: where ``leafsight.toml`` is looked for; it may be absent.
        environment: usually ``os.environ``; keys that start with ``LEAFSIGHT_`` count. A secret setting may
            stand in a file instead, which the same key with ``_FILE`` behind it names.
        flags: values from the command line; ``None`` values mean "not given".

    Raises:
        ConfigError: with every fault of file, environment and flags, each naming its source.
    """
    file = folder / FILE_NAME
    settings, faults = _laid_over(_read_file(file), file, environment, flags)
    if faults:
        raise ConfigError("the settings have faults", faults=faults, hint="leafsight config check shows them")
    return settings


def usable_settings(
    folder: Path, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None
) -> tuple[Settings, tuple[Fault, ...]]:
    """The same from all that can be used, and what cannot; for whoever looks for what is wrong.

    Args:
        folder: as of ``load_settings``.
        environment: the same.
        flags: the same.
    """
    file, lost = folder / FILE_NAME, list[Fault]()
    try:
        found = _read_file(file)
    except ConfigError as error:
        found = {}
        lost.append(Fault(str(file), "(whole)", error.message, "a file that can be read"))
    settings, faults = _laid_over(found, file, environment, flags)
    return settings, (*lost, *faults)


def _laid_over(
    found: Mapping[str, Any], file: Path, environment: Mapping[str, str], flags: Mapping[str, Any] | None
) -> tuple[Settings, list[Fault]]:
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    of_environment, faults = with_secret_files(_read_environment(environment), PREFIX)
    sources = (
        (found, str(file), ""),
        (of_environment, "environment", PREFIX),
        (given, "command line", ""),
    )
    values: dict[str, Any] = {}
    for one, where, prefix in sources:
        good, wrong = parsed(one, where, prefix)
        values.update(good)
        faults.extend(wrong)
    for name in HOMES:
        values[name] = values.get(name, KNOWN[name].default).expanduser()
    return Settings(**values), faults


def origins(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """For each setting, the source that decides it: ``default``, the file's name or the variable's."""
    found = dict.fromkeys(KNOWN, "default")
    found.update(dict.fromkeys(_read_file(folder / FILE_NAME), FILE_NAME))
    for key in _read_environment(environment):
        found[named_in_file(key) or key] = f"{PREFIX}{key.upper()}"
    return found


def _read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    ours = {key: value for key, value in environment.items() if key.startswith(PREFIX)}
    return {key.removeprefix(PREFIX).lower(): value for key, value in ours.items() if key not in NOT_SETTINGS}


def _read_file(path: Path) -> dict[str, Any]:
    try:
        if not path.exists():  # a folder that may not be looked into raises
            return {}
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    import tomllib  # only where there is something to read: it costs 10 ms

    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", hint="correct the line it names") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
