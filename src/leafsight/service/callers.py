"""What a caller is called where it is written down who did something."""

from __future__ import annotations

from leafsight.service.access import Caller

HERE = "this computer"
LONGEST = 200


def name_of(caller: Caller) -> str:
    """The name of the caller's key; without keys only this computer is served."""
    return HERE if caller.key is None else caller.key.name[:LONGEST]
