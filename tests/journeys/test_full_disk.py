"""The disk is full while photographs are packed, while a checkpoint is written, while a model is exported."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.journeys.small_world import World, in_another_process, leafsight, weights_hash, with_settings

SMALL_FILES_ONLY = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))"
HINT = "hint: free some space and run the command again"


def words(world: World, run: Path) -> tuple[object, ...]:
    return (
        "train", "simple-cnn", "--data", world.photographs, "--out", run, "--no-export", "-q",
        *with_settings(),
    )  # fmt: skip


@pytest.fixture
def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """From its ``after``-th file on, nothing whose name holds ``named`` reaches the disk."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc to see which file is synced")

    def fill(named: str, after: int = 0) -> None:
        real, seen = os.fsync, 0

        def fsync(handle: int) -> None:
            nonlocal seen
            if named in str(Path(f"/proc/self/fd/{handle}").readlink()):
                seen += 1
                if seen > after:
                    raise OSError(errno.ENOSPC, "No space left on device")
            real(handle)

        monkeypatch.setattr(os, "fsync", fsync)

    return fill


@pytest.mark.skipif(os.name == "nt", reason="needs limits of Unix")
def test_while_photographs_are_packed(world: World, tmp_path: Path) -> None:
    done = in_another_process(*words(world, tmp_path / "run"), before=SMALL_FILES_ONLY)
    assert done.code == 1
    assert done.error_lines[0].startswith("error: no space left while writing ")
    assert done.error_lines[1] == HINT
    assert not list(tmp_path.rglob("*.pixels"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the diary stays open for 0
@pytest.mark.parametrize("after", [0, 1, 2])
def test_while_a_checkpoint_is_written(
    world: World,
    tmp_path: Path,
    fill_the_disk: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    run = tmp_path / "run"
    with monkeypatch.context():
        fill_the_disk("last.safetensors", after)
        done = leafsight(*words(world, run))
    assert done.code == 1
    assert "last.safetensors" in done.error_lines[0]
    assert done.error_lines[1] == HINT
    assert (run / "checkpoint" / "last.safetensors").exists() is (after > 0)
    assert not list(run.rglob("*.part"))
    monkeypatch.undo()
    assert leafsight(*words(world, run)).code == 0
    assert weights_hash(run) == weights_hash(world.run)


def test_while_a_model_is_exported(world: World, tmp_path: Path, fill_the_disk: Callable[..., None]) -> None:
    run = Path(shutil.copytree(world.run, tmp_path / "run"))
    before = (run / "model.leafsight").read_bytes()
    fill_the_disk("model.leafsight")
    done = leafsight("export", run, "--precision", "fp32", "-q")
    assert done.code == 1
    assert "model.leafsight" in done.error_lines[0]
    assert done.error_lines[1] == HINT
    assert (run / "model.leafsight").read_bytes() == before
    assert not list(run.rglob("*.part"))


def test_while_photographs_are_drawn(tmp_path: Path, fill_the_disk: Callable[..., None]) -> None:
    fill_the_disk(".jpg", 3)
    done = leafsight("synth", tmp_path / "drawn", "--leaves", "2", "--side", "32", "-q")
    assert done.code == 1
    assert done.error_lines[1] == HINT
    assert len(list((tmp_path / "drawn").rglob("*.jpg"))) == 3
    assert not list(tmp_path.rglob("*.part"))
