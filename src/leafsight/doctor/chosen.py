"""Whether the settings can be read, and which of them somebody set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from leafsight.doctor.findings import Finding
from leafsight.errors import Fault

WHOLE = "(whole)"
"""The key of a fault that is of a whole file."""


def check_settings(faults: Sequence[Fault], chosen: Mapping[str, tuple[str, str]]) -> Iterator[Finding]:
    """Every fault, and what is set.

    Args:
        faults: of ``leafsight.toml``, the environment and the command line; the other checks go on with what
            could be used.
        chosen: setting -> its value for people and where it comes from.
    """
    for fault in faults:
        said = f"{fault.where}: {fault.key}: got {fault.got}, wanted {fault.wanted}"
        if fault.key == WHOLE:
            said = fault.got
        elif fault.got == "an unknown key":
            said = f"{fault.where}: there is no setting {fault.key}"
        todo = f"correct {fault.key}"
        if fault.key == WHOLE:
            todo = "correct the line that it names, or owner and mode of the file"
        elif fault.nearest:
            todo = f"did you mean {fault.nearest}?"
        elif fault.got == "an unknown key":
            todo = f"take {fault.key} away; leafsight config show lists all settings"
        yield Finding("settings.read", "fail", said, todo)
    if not faults:
        yield Finding("settings.read", "ok", "leafsight.toml and LEAFSIGHT_* have no fault")
    told = ", ".join(f"{name}={value} ({where})" for name, (value, where) in chosen.items())
    yield Finding("settings.set", "ok", told or "nothing is set; the defaults hold")
