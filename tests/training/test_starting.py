"""Which weights a run starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from leafsight.bundle import builtin_bundle_path
from leafsight.errors import BundleError, ConfigError, StorageError
from leafsight.training import load_recipe, starting, starting_weights


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"weights")
    return path


def test_the_wish_goes_before_the_recipe(file: Path, tmp_path: Path) -> None:
    quick, plain = load_recipe("quick"), load_recipe("simple-cnn")
    assert starting_weights(None, quick, tmp_path) == builtin_bundle_path()
    assert starting_weights(None, plain, tmp_path) is None
    for recipe in (quick, plain, load_recipe("flowers")):
        assert starting_weights("none", recipe, tmp_path) is None
        assert starting_weights(str(file), recipe, tmp_path) == file
        assert starting_weights("builtin", recipe, tmp_path) == builtin_bundle_path()
    with pytest.raises(StorageError):
        starting_weights(str(tmp_path / "nowhere"), quick, tmp_path)


def test_imagenet_means_the_file_at_hand(file: Path, tmp_path: Path) -> None:
    flowers = load_recipe("flowers")
    assert starting_weights(None, flowers, tmp_path, imagenet=file) == file
    assert starting_weights("imagenet", load_recipe("quick"), tmp_path, imagenet=file) == file
    with pytest.raises(ConfigError, match="do not come with leafsight") as caught:
        starting_weights(None, flowers, tmp_path)
    assert "--pretrained" in caught.value.hint


def test_a_missing_builtin_model_is_an_error_only_when_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> Path:
        raise BundleError("no model came with this installation")

    monkeypatch.setattr(starting, "builtin_bundle_path", gone)
    assert starting_weights(None, load_recipe("quick"), tmp_path) is None
    with pytest.raises(BundleError):
        starting_weights("builtin", load_recipe("quick"), tmp_path)
