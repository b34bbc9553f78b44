"""Containers are tested where ``make containers`` says so, and the images that it builds are there."""

from __future__ import annotations

import pytest
from tests.containers.engine import why_not


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, keep them on one worker, and skip them elsewhere."""
    ours = [item for item in items if "/tests/containers/" in str(item.path)]
    reason = why_not() if ours else ""
    for item in ours:
        item.add_marker(pytest.mark.containers)
        item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.xdist_group("containers"))
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
