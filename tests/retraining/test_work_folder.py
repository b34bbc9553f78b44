"""Folders of jobs, and room again."""

from __future__ import annotations

from pathlib import Path

import pytest

from leafsight.errors import StorageError
from leafsight.retraining.work_folder import open_work_folder, sweep


def test_only_our_folders_of_jobs_that_are_over_are_removed(tmp_path: Path) -> None:
    for job in ("over", "runs"):
        folder = open_work_folder(tmp_path, job)
        folder.candidate.write_bytes(b"model")
    (tmp_path / "somebody's").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    sweep(tmp_path, lambda job: job != "runs")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "runs", "somebody's"]
    sweep(tmp_path / "nowhere", lambda _: True)


def test_the_folder_of_a_job_is_its_own_and_private(tmp_path: Path) -> None:
    one, again = open_work_folder(tmp_path / "deep", "job"), open_work_folder(tmp_path / "deep", "job")
    assert one == again
    assert one.path.stat().st_mode & 0o777 == 0o700
    paths = {one.steps, one.candidate, one.photographs, one.run, one.data}
    assert len(paths) == 5
    assert all(path.parent == one.path for path in paths)


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "work").write_bytes(b"")
    with pytest.raises(StorageError):
        open_work_folder(tmp_path / "work", "job")
