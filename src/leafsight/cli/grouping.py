"""What ``leafsight split`` is told of photographs that belong together: rules by name, and leaf maps."""

from __future__ import annotations

from pathlib import Path

RULES = "column,leaf_map,duplicates,near_duplicates,capture_runs"
# A run of the camera is a guess: good enough to keep photographs together, not to tear a finished split up.
REPAIR_RULES = "column,leaf_map,duplicates,near_duplicates,copies"


def rules(text: str) -> tuple[str, ...]:
    """The names of rules in ``a,b,c``."""
    return tuple(rule.strip() for rule in text.split(","))


def leaf_maps(named: Path | None, sources: tuple[Path, ...]) -> dict[tuple[str, str], str]:
    """The leaf map that was named, or else all that lie inside the sources."""
    from leafsight.dataset import leaf_maps_inside, read_leaf_map

    return leaf_maps_inside(sources) if named is None else read_leaf_map(named)
