"""What ``leafsight split`` is told of photographs that belong together: rules by name, and leaf maps."""

from __future__ import annotations

from pathlib import Path

LEAF_MAP_FILE = "leaf_groups.csv"
RULES = "column,leaf_map,duplicates,near_duplicates,capture_runs"
# A run of the camera is a guess: good enough to keep photographs together, not to tear a finished split up.
REPAIR_RULES = "column,leaf_map,duplicates,near_duplicates,copies"


def rules(text: str) -> tuple[str, ...]:
    """The names of rules in ``a,b,c``."""
    return tuple(rule.strip() for rule in text.split(","))


def leaf_maps(named: Path | None, sources: tuple[Path, ...]) -> dict[tuple[str, str], str]:
    """The leaf map that was named, or else all that lie inside the sources."""
    from leafsight.dataset import read_leaf_map

    beside = [source / LEAF_MAP_FILE for source in sources if (source / LEAF_MAP_FILE).is_file()]
    leaves: dict[tuple[str, str], str] = {}
    for path in [named] if named is not None else beside:
        leaves.update(read_leaf_map(path))
    return leaves
