"""Several processes and threads at once: no change is lost, none is half."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from leafsight.errors import StateBusyError
from leafsight.registry import Registry, open_registry
from leafsight.registry.locking import alone_in

REPOSITORY = Path(__file__).resolve().parents[2]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def race(act: str, folder: Path, files: dict[str, Path], names: tuple[str, ...]) -> tuple[list[Any], Any]:
    """What each of the processes did, and what the reader saw."""
    done = subprocess.run(
        [sys.executable, REPOSITORY / "tests/registry/racing.py", act, folder, files["shipped"]]
        + [files[name] for name in names],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(path.read_text()) for path in sorted(folder.glob("[0-9].json"))]
    return told, json.loads(done.stdout)


@pytest.mark.slow
@needs_fork
def test_four_processes_promote_and_roll_back_at_once(tmp_path: Path, files: dict[str, Path]) -> None:
    told, seen = race("promote", tmp_path, files, ("apples", "beans", "cherries"))
    registry = open_registry(tmp_path / "model")
    history = registry.history(limit=1000)
    assert [change.number for change in history] == list(range(len(history), 0, -1))
    assert all(before.hash == after.former for after, before in pairwise(history))
    # What a process was told happened did happen, as told; nothing else did.
    known = {change.number: change.to_dict() for change in history}
    mentioned = {change["number"]: change for done in told for change in done}
    assert mentioned == known
    assert {change.by for change in history} == {"0", "1", "2", "3"}
    assert registry.get("serving").hash == history[0].hash
    assert set(seen["seen"]) == {"apples", "beans", "cherries", "shipped"}
    assert len(registry.entries()) == 4
    assert registry.verify() == ()
    assert not list((tmp_path / "model").rglob("*.part"))


@pytest.mark.slow
@needs_fork
def test_four_processes_add_and_remove_the_same_model(tmp_path: Path, files: dict[str, Path]) -> None:
    told, _ = race("remove", tmp_path, files, ("apples",))
    registry = open_registry(tmp_path / "model")
    assert registry.entries() == (registry.builtin,)
    assert registry.verify() == ()
    removed = registry.add(files["apples"]).hash
    assert {one for done in told for one in done} <= {removed, "not-found"}
    assert any(removed in done for done in told)


def test_threads_of_one_process(registry: Registry, hashes: dict[str, str]) -> None:
    names = ["apples", "beans", "cherries"] * 4
    with ThreadPoolExecutor(4) as pool:
        changes = list(pool.map(lambda name: registry.promote(hashes[name]), names))
    history = registry.history()
    assert {change.number for change in changes} == {change.number for change in history}
    assert [change.number for change in history] == list(range(len(history), 0, -1))


def test_a_change_that_would_wait_too_long_says_so(
    folder: Path, hashes: dict[str, str], files: dict[str, Path]
) -> None:
    hasty = open_registry(folder, lock_timeout_s=0.0)
    with alone_in(folder, 0.0):
        for act in (
            lambda: hasty.promote(hashes["apples"]),
            lambda: hasty.rollback(),
            lambda: hasty.remove(hashes["apples"]),
            lambda: hasty.add(files["apples"], "another note"),
        ):
            with pytest.raises(StateBusyError, match="another process"):
                act()
        # Reading and opening wait for nobody.
        assert open_registry(folder, lock_timeout_s=0.0).get("serving") == hasty.builtin
        assert hasty.add(files["apples"]).hash == hashes["apples"]


def test_the_part_of_one_who_still_copies_is_left_alone(
    folder: Path, hashes: dict[str, str], files: dict[str, Path], registry: Registry, monkeypatch
) -> None:
    """Another process opens the registry in the middle of a long copy."""
    from leafsight.registry import changing

    registry.remove(hashes["apples"])
    fill, parts = changing.fill, []

    def slow(part: Any, *words: Any) -> int:
        size: int = fill(part, *words)
        open_registry(folder)
        open_registry(folder).promote(hashes["beans"])
        parts.append(part.path.exists())
        return size

    monkeypatch.setattr(changing, "fill", slow)
    assert registry.add(files["apples"]).hash == hashes["apples"]
    assert parts == [True]
    assert registry.verify() == ()


def test_a_model_removed_between_check_and_promotion(
    registry: Registry, folder: Path, hashes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from leafsight.errors import BundleCorruptError

    bundle = Registry.bundle

    def then_removed(self: Registry, entry: Any, **words: Any) -> Any:
        found = bundle(self, entry, **words)
        open_registry(folder).remove(entry.hash)
        return found

    monkeypatch.setattr(Registry, "bundle", then_removed)
    with pytest.raises(BundleCorruptError):
        registry.promote(hashes["apples"])
    assert registry.get("serving") == registry.builtin
    assert registry.history() == ()
