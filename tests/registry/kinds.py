"""Which tests of the contract look into the files of a folder, so that they say nothing of a bucket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., None])


def folder_only(test: Test) -> Test:
    """The test breaks or reads the files of a folder; ``test_bucket`` does the same to objects."""
    test.folder_only = True  # type: ignore[attr-defined]
    return test
