from __future__ import annotations

from pathlib import Path

import pytest

from leafsight.cluster.start_weights import packed, unpacked
from leafsight.errors import StorageError


def test_a_file_and_a_folder_arrive_as_they_are(tmp_path: Path) -> None:
    file, folder = tmp_path / "weights.safetensors", tmp_path / "model"
    file.write_bytes(b"numbers")
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "one").write_bytes(b"1")
    with unpacked(packed(file)) as there:
        assert there is not None
        assert (there.name, there.read_bytes()) == (file.name, b"numbers")
        assert there != file
    assert not there.exists()
    with unpacked(packed(folder)) as there:
        assert there is not None
        assert (there.name, (there / "parts" / "one").read_bytes()) == ("model", b"1")


def test_random_weights_are_nothing_and_a_file_that_is_not_there_an_error(tmp_path: Path) -> None:
    with unpacked(packed(None)) as there:
        assert there is None
    with pytest.raises(StorageError):
        packed(tmp_path / "none.safetensors")
