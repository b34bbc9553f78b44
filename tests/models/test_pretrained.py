from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from leafsight.errors import ConfigError, StorageError
from leafsight.models import ModelOptions, resolve_pretrained
from leafsight.models import pretrained as room


def test_none_is_none(tmp_path: Path) -> None:
    assert resolve_pretrained(ModelOptions(), cache_dir=tmp_path) is None


def test_local_file_with_and_without_hash(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    file.write_bytes(b"abc")
    assert resolve_pretrained(ModelOptions(pretrained=str(file)), cache_dir=tmp_path) == file
    right = hashlib.sha256(b"abc").hexdigest()
    options = ModelOptions(pretrained=str(file), pretrained_sha256=right)
    assert resolve_pretrained(options, cache_dir=tmp_path) == file
    options = ModelOptions(pretrained=str(file), pretrained_sha256="0" * 64)
    with pytest.raises(StorageError, match=right):
        resolve_pretrained(options, cache_dir=tmp_path)


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no pretrained weights at .*gone"):
        resolve_pretrained(ModelOptions(pretrained=str(tmp_path / "gone")), cache_dir=tmp_path)


def test_address_needs_a_hash(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"without model\.pretrained_sha256"):
        resolve_pretrained(ModelOptions(pretrained="https://x.invalid/w"), cache_dir=tmp_path)


def test_address_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def fetch(*arguments: object) -> Path:
        asked.extend(arguments)
        return tmp_path / "w"

    monkeypatch.setattr(room, "fetch_weights", fetch)
    options = ModelOptions(pretrained="https://x.invalid/w", pretrained_sha256="1" * 64)
    assert resolve_pretrained(options, cache_dir=tmp_path) == tmp_path / "w"
    assert asked == ["https://x.invalid/w", "1" * 64, tmp_path, None]
