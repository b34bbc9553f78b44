from __future__ import annotations

from pathlib import Path

import pytest

from leafsight.bundle import builtin, builtin_bundle_path, open_bundle
from leafsight.errors import BundleError


def test_a_missing_builtin_model_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(builtin, "BUILTIN", tmp_path / "absent.leafsight")
    with pytest.raises(BundleError, match="no built-in model") as caught:
        builtin_bundle_path()
    assert "--model" in caught.value.hint


def test_the_builtin_model_opens_and_is_small() -> None:
    if not builtin.BUILTIN.is_file():
        pytest.skip("the built-in model is not in this checkout yet")
    bundle = open_bundle(builtin_bundle_path())
    assert builtin_bundle_path().stat().st_size <= 10 * 1024 * 1024
    assert len(bundle.classes) >= 2
    assert bundle.cam_head() is not None
