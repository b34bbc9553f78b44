"""The model that ships in the package."""

from __future__ import annotations

from pathlib import Path

from leafsight.errors import BundleError

BUILTIN = Path(__file__).parent / "builtin" / "plant-leaves.leafsight"


def builtin_bundle_path() -> Path:
    """Where the built-in bundle lies.

    Raises:
        BundleError: this installation came without it.
    """
    if not BUILTIN.is_file():
        raise BundleError(
            "this installation has no built-in model",
            hint="install leafsight from its wheel, or name a bundle with --model",
        )
    return BUILTIN
