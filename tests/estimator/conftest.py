"""What the tests of this room share."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def plain_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits without stressed copies and memory, which cost most of a small fit: for tests of other things."""
    import leafsight.export
    from leafsight.export import Package, PackagingOptions, package_run

    plain = {"stress_copies": 0, "memory_photos": 0}

    def plainly(*given: Any, options: PackagingOptions, **named: Any) -> Package:
        return package_run(*given, options=options.model_copy(update=plain), **named)

    monkeypatch.setattr(leafsight.export, "package_run", plainly)
