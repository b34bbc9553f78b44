"""Secret settings that stand in files of their own, as container engines and clusters hand them out.

Enters: what the environment says, ``DATABASE_URL_FILE`` for ``DATABASE_URL`` among it. Leaves: the same
with the contents in place of the paths. A variable is seen by whoever may list a container's settings; a
file is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from leafsight.errors import Fault
from leafsight.settings.parsing import KNOWN, MAX_TEXT

SUFFIX = "_file"
SECRET = frozenset(name for name, one in KNOWN.items() if one.metadata["secret"])


def named_in_file(name: str) -> str | None:
    """The secret setting whose file ``name`` is the path of, as ``database_url`` of ``database_url_file``."""
    setting = name.removesuffix(SUFFIX)
    return setting if name != setting and setting in SECRET else None


def with_secret_files(found: Mapping[str, str], prefix: str) -> tuple[dict[str, str], list[Fault]]:
    """``found`` with each file of a secret setting read, and a fault for each that cannot be.

    Args:
        found: setting -> value, of the environment.
        prefix: how variables begin, for faults.
    """
    values: dict[str, str] = {}
    faults = []
    for name, value in found.items():
        setting = named_in_file(name)
        if setting is None:
            values[name] = value
            continue
        text, wrong = (None, "only one of both") if setting in found else _read(Path(value))
        if text is not None:
            values[setting] = text
        else:
            faults.append(Fault("environment", f"{prefix}{name.upper()}", value[:80], wrong))
    return values, faults


def _read(path: Path) -> tuple[str | None, str]:
    """What is in it, without the line's end; or what is wanted instead."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_TEXT + 3).decode()
    except OSError as error:
        return None, f"a file that can be read ({error.strerror})"
    except ValueError:  # not UTF-8, or a path with a null
        return None, "a file with one line of text"
    text = text.removesuffix("\n").removesuffix("\r")
    return (text, "") if text else (None, "a file that is not empty")
