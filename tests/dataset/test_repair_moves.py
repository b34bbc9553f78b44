from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from leafsight.dataset import (
    Journal,
    PhotoIndex,
    RepairOptions,
    RepairPlan,
    finish_moves,
    index_photos,
    journal_for,
    move_files,
    plan_repair,
    split_summary,
    undo_moves,
)
from leafsight.dataset import repair_moves as moves
from leafsight.errors import DatasetError, StorageError

Layout = Callable[..., Path]


@pytest.fixture
def layout(tmp_path: Path, write_photo: Callable[..., Path]) -> Layout:
    """Folders train, val and test; some of train stand in val under the same name, larger."""

    def write(copies: int = 3, wrap: str = "") -> Path:
        root = tmp_path / "photos"
        inside = root / wrap
        seed = 0
        for split, count in (("train", 8), ("val", 3), ("test", 3)):
            for name in ("healthy", "rust"):
                for number in range(count):
                    seed += 1
                    write_photo(inside / split / name / f"{split} {number}.png", seed)
        for number in range(copies):
            write_photo(inside / "val" / "rust" / f"train {number}.png", 9 + number, size=(80, 64))
        return root

    return write


def planned(root: Path, **options: object) -> RepairPlan:
    return plan_repair(index_photos(root), RepairOptions(**options))  # type: ignore[arg-type]


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def leaks(root: Path) -> int:
    return len(split_summary(index_photos(root)).leaks)


@pytest.mark.parametrize("wrap", ["", "archive/v1"])
def test_files_are_moved_and_nothing_is_overwritten(layout: Layout, wrap: str) -> None:
    root = layout(wrap=wrap)
    before = files(root)
    journal = journal_for(planned(root))
    assert files(root) == before
    assert not journal.path.exists()
    move_files(journal)
    after = files(root)
    assert sorted(after.values()) == sorted(before.values())
    prefix = f"{wrap}/" if wrap else ""
    assert f"{prefix}val/rust/train 0 (2).png" in after
    assert leaks(root) == 0
    assert Journal.read(journal.path).state == "done"
    assert planned(root).is_clean


def test_undo_puts_everything_back(layout: Layout) -> None:
    root = layout()
    before = files(root)
    journal = journal_for(planned(root, by="drop", keep=("test",)))
    move_files(journal)
    assert len(files(root)) == len(before) - 3
    assert journal.left_out == root.with_name("photos.left_out")
    assert len(files(journal.left_out)) == 3
    again = Journal.read(journal.path)
    undo_moves(again)
    undo_moves(again)
    assert files(root) == before
    assert not journal.left_out.exists()
    assert Journal.read(journal.path).state == "undone"


@pytest.mark.parametrize("stop", range(4))
@pytest.mark.parametrize("between", [False, True])
def test_a_killed_run_is_finished_or_undone(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, stop: int, between: bool
) -> None:
    root = layout()
    before = files(root)
    journal = journal_for(planned(root))
    made: list[Path] = []
    unlink = Path.unlink

    def stopping(self: Path, missing_ok: bool = False) -> None:
        if self.suffix == ".png" and len(made) >= stop:
            raise KeyboardInterrupt
        made.append(self)
        unlink(self, missing_ok)

    move = moves._move

    def stopping_before(one: Path, other: Path) -> None:
        if len(made) >= stop:
            raise KeyboardInterrupt
        move(one, other)

    with monkeypatch.context() as patched:
        if between:
            patched.setattr(Path, "unlink", stopping)
        else:
            patched.setattr(moves, "_move", stopping_before)
            patched.setattr(
                Path, "unlink", lambda self, missing_ok=False: (made.append(self), unlink(self))[1]
            )
        if stop < 3:
            with pytest.raises(KeyboardInterrupt):
                move_files(journal)
        else:
            move_files(journal)
    if stop < 3:
        with pytest.raises(DatasetError, match="is unfinished"):
            journal_for(planned(root))
    finish_moves(Journal.read(journal.path))
    assert leaks(root) == 0
    assert len(files(root)) == len(before)
    undo_moves(Journal.read(journal.path))
    assert files(root) == before


def test_a_file_that_disappears_stops_it_and_says_how_to_go_on(layout: Layout) -> None:
    root = layout()
    journal = journal_for(planned(root))
    (root / journal.moves[1].source).unlink()
    with pytest.raises(StorageError, match="is gone; 1 of 3 files were moved") as caught:
        move_files(journal)
    assert f"--finish {journal.path}" in caught.value.hint
    assert Journal.read(journal.path).state == "started"


def test_what_came_into_the_way_is_not_overwritten(layout: Layout) -> None:
    root = layout()
    journal = journal_for(planned(root))
    _, after = journal.places(journal.moves[0])
    after.write_bytes(b"somebody else")
    with pytest.raises(StorageError, match="is in the way"):
        move_files(journal)
    assert after.read_bytes() == b"somebody else"


def test_without_hard_links_files_are_renamed(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refused)
    root = layout()
    count = len(files(root))
    move_files(journal_for(planned(root)))
    assert (leaks(root), len(files(root))) == (0, count)


def test_names_that_differ_only_in_case_do_not_meet(layout: Layout) -> None:
    taken: set[str] = set()
    root = layout()
    assert moves._free_name(root, "val/rust/A.png", taken) == "val/rust/A.png"
    assert moves._free_name(root, "val/rust/a.png", taken) == "val/rust/a (2).png"


def test_a_photograph_that_changed_is_refused(layout: Layout) -> None:
    root = layout()
    plan = planned(root)
    changed = root / plan.repaired.column("path")[plan.steps[0].row]
    os.utime(changed, ns=(1, 1))
    with pytest.raises(DatasetError, match="was changed since it was read"):
        journal_for(plan)


def test_links_are_refused(layout: Layout, tmp_path: Path) -> None:
    root = layout()
    elsewhere = tmp_path / "elsewhere"
    (root / "val" / "rust").rename(elsewhere)
    (root / "val" / "rust").symlink_to(elsewhere)
    with pytest.raises(DatasetError, match="reached through a link"):
        journal_for(planned(root, by="drop", keep=("train",)))


def test_only_split_folders_of_one_place_can_be_mended_in_place(layout: Layout, tmp_path: Path) -> None:
    root = layout()
    plan = planned(root)
    moved = plan.repaired.with_column("root", [f"/{n}" for n in range(len(plan.repaired))])
    from dataclasses import replace

    with pytest.raises(DatasetError, match="lie in 3 folders"):
        journal_for(replace(plan, repaired=moved))
    renamed = PhotoIndex(plan.repaired.table).with_class_names(str.upper)
    upper = [replace(step, class_name=step.class_name.upper()) for step in plan.steps]
    with pytest.raises(DatasetError, match="does not lie in a folder for its split"):
        journal_for(replace(plan, repaired=renamed, steps=tuple(upper)))
    stored = plan.repaired.with_column("stored_as", ["x"] * len(plan.repaired))
    with pytest.raises(DatasetError, match="is in an archive"):
        journal_for(replace(plan, repaired=stored))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"moves": [["../x", "y", False]]},
        {"moves": [["x", "/etc/y", False]]},
        {"moves": [["x", ""]]},
        {"moves": 3},
        {"root": 7},
    ],
)
def test_a_journal_that_is_none_is_refused(layout: Layout, change: dict[str, object]) -> None:
    journal = journal_for(planned(layout()))
    move_files(journal)
    journal.path.write_text(json.dumps({**json.loads(journal.path.read_text()), **change}))
    with pytest.raises(StorageError, match="is no journal of a repair"):
        Journal.read(journal.path)
