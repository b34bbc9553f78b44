"""How a step says that it failed, so that it can be told again by a process that comes later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class StepFailedError(Exception):
    """A step ended without what it was asked for; kept in the rows as JSON.

    Args:
        data: ``LeafsightError.as_dict()``.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(str(data.get("message", "")))
        self.data = dict(data)

    @property
    def message(self) -> str:
        """What happened."""
        return str(self.data.get("message", ""))

    @property
    def hint(self) -> str:
        """What can be done about it."""
        return str(self.data.get("hint", ""))
