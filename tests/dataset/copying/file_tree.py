"""What lies below a folder."""

from __future__ import annotations

from pathlib import Path


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its name in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def photographs(folder: Path) -> dict[str, bytes]:
    """The pictures among them."""
    return {name: data for name, data in tree(folder).items() if name.endswith((".jpg", ".png"))}
