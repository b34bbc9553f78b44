"""The verbs start no more than a container's quota of CPU time allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from leafsight.cli.service_settings import service_options
from leafsight.cli.terminal import cores
from leafsight.settings import Settings


def test_a_quota_counts_unless_somebody_says_how_many(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("leafsight.storage.available_cores", lambda: 3)
    assert cores() == 3
    assert service_options(Settings(state_dir=tmp_path)).workers == 3
    assert service_options(Settings(state_dir=tmp_path, workers=5)).workers == 5
