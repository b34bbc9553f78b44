"""What a retraining keeps on the disk between its steps: one folder for each job.

Enters: the folder of all, the id of a job. Leaves: paths in it, and room again when jobs are over. Everything
in it can be made again, only more slowly. It does not know what the files hold.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from leafsight.storage import os_errors_translated

OURS = ".retraining"
"""Lies in every folder that is ours to remove."""


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """The folder of one job.

    Attributes:
        path: of it.
    """

    path: Path

    @property
    def steps(self) -> Path:
        """SQLite, in which the workflow writes which steps ended."""
        return self.path / "steps.sqlite"

    @property
    def candidate(self) -> Path:
        """The bundle that was made."""
        return self.path / "candidate.leafsight"

    @property
    def photographs(self) -> Path:
        """Contributions as files."""
        return self.path / "contributions"

    @property
    def run(self) -> Path:
        """The folder of the training run."""
        return self.path / "run"

    @property
    def data(self) -> Path:
        """Index and pixels."""
        return self.path / "data"


def open_work_folder(work_dir: Path, job: str) -> WorkFolder:
    """The folder of a job, made if it is not there.

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: it cannot be made.
    """
    folder = work_dir / job
    with os_errors_translated(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / OURS).touch()
    return WorkFolder(folder)


def sweep(work_dir: Path, over: Callable[[str], bool]) -> None:
    """Remove the folders of jobs that are over; what cannot be removed stays for the next time.

    Args:
        work_dir: the folder of all.
        over: whether nobody goes on with a job.
    """
    if not work_dir.is_dir():
        return
    for path in work_dir.iterdir():
        if path.is_dir() and not path.is_symlink() and (path / OURS).exists() and over(path.name):
            shutil.rmtree(path, ignore_errors=True)
