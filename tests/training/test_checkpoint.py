from __future__ import annotations

from pathlib import Path

import pytest
import torch

from leafsight.errors import StorageError, TrainingError
from leafsight.training.checkpoint import read_checkpoint, write_checkpoint


def test_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "last.safetensors"
    weights = {"a.b": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last), "n": torch.tensor(3)}
    write_checkpoint(path, {"network": weights, "optimizer": {"0.step": torch.tensor(1.0)}}, {"step": 4})
    found = read_checkpoint(path)
    assert found.state == {"step": 4}
    assert found.part("network").keys() == weights.keys()
    assert torch.equal(found.part("network")["a.b"], weights["a.b"])
    assert found.part("optimizer")["0.step"].item() == 1.0
    assert found.part("absent") == {}


def test_the_old_one_stays_when_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    write_checkpoint(path, {"network": {"a": torch.ones(1)}}, {"step": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_checkpoint(path, {"network": {"a": torch.zeros(1)}}, {"step": float("nan")})
    assert read_checkpoint(path).state == {"step": 1}


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign"])
def test_what_is_damaged_is_refused(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    write_checkpoint(path, {"network": {"a": torch.ones(100)}}, {"step": 1})
    whole = path.read_bytes()
    foreign = len(b"{}").to_bytes(8, "little") + b"{}"
    path.write_bytes({"cut": whole[:-10], "empty": b"", "foreign": foreign}[damage])
    with pytest.raises(TrainingError, match="damaged or not a training state") as caught:
        read_checkpoint(path)
    assert "--force" in caught.value.hint


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        read_checkpoint(tmp_path / "absent.safetensors")
