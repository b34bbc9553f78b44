"""Optional libraries: imported when needed, named with their pip line when missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from leafsight.errors.tree import MissingExtraError


def require(module: str, extra: str) -> ModuleType:
    """Import an optional library.

    Args:
        module: import name, such as ``torch`` or ``pyarrow.parquet``.
        extra: the extra of leafsight that installs it.

    Raises:
        MissingExtraError: the library is not installed. A library that is there but fails to import
            keeps its own exception: its cause is another one.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.split(".")[0]
        if error.name is not None and error.name.split(".")[0] != package:
            raise
        raise MissingExtraError(package, extra) from error
