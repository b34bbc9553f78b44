"""What the tests of this room share."""

from __future__ import annotations

from functools import partial

import pytest


@pytest.fixture
def plain_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits without stressed copies and memory, which cost most of a small fit: for tests of other things."""
    import leafsight.export
    from leafsight.export import PackagingOptions, package_run

    options = PackagingOptions(stress_copies=0, memory_photos=0)
    monkeypatch.setattr(leafsight.export, "package_run", partial(package_run, options=options))
