"""The recipes that ship with the package, as text; reading one into a ``Recipe`` is ``recipe_files``' work.

Imports no torch, so that they can be listed and copied anywhere.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from leafsight.errors import UsageError, nearest
from leafsight.storage import write_text

SUFFIX = ".toml"


def recipe_names() -> tuple[str, ...]:
    """Names of the recipes that ship with the package, sorted."""
    folder = resources.files("leafsight.training") / "recipes"
    files = [file.name for file in folder.iterdir() if file.name.endswith(SUFFIX)]
    return tuple(sorted(name.removesuffix(SUFFIX) for name in files))


def recipe_text(name: str) -> str:
    """The TOML of a shipped recipe, comments included.

    Raises:
        UsageError: no recipe has that name.
    """
    names = recipe_names()
    if name not in names:
        close = nearest(name, names)
        hint = f"did you mean '{close}'? " if close else ""
        raise UsageError(f"there is no recipe '{name}'", hint=f"{hint}recipes: {', '.join(names)}, or a path")
    file = resources.files("leafsight.training") / "recipes" / f"{name}{SUFFIX}"
    return file.read_text(encoding="utf-8")


def copy_recipe(name: str, target: Path, *, force: bool = False) -> Path:
    """Put a shipped recipe at ``target`` (a file, or a folder to put it in) to be changed by hand.

    Raises:
        UsageError: no such recipe, or the file is there already and ``force`` is off.
    """
    text = recipe_text(name)
    path = target / f"{name}{SUFFIX}" if target.is_dir() else target
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", hint="choose another name or say --force")
    write_text(path, text)
    return path
