"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PHOTOGRAPHS = REPOSITORY / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of unpacked real photographs, ``<set>/<class>/<file>``; skips where they are absent."""
    if not PHOTOGRAPHS.is_dir():
        pytest.skip("needs the real photographs (see docs/development.md), which are not in the repository")
    return PHOTOGRAPHS
