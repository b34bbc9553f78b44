"""Blobs in a folder of this machine.

Enters: names and bytes. Leaves: files that only the owner may read, each whole or not there. Links below the
folder are never followed. It knows no database and no other machine.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from leafsight.errors import DiskFullError, NotFoundError, PermissionDeniedError, StateError, StorageError
from leafsight.state.blob_names import MAX_BLOB_BYTES, check_length, checked_name, is_name
from leafsight.storage import os_errors_translated, sync_folder

UNFINISHED = ".unfinished"
"""Where a blob is written before it gets its name; no name of a blob begins with a dot."""

LEFT_BEHIND_S = 24 * 3600
"""An unfinished blob of this age belongs to a process that died: nobody writes for a day."""

WHERE = "check the folder that LEAFSIGHT_BLOB_URL or LEAFSIGHT_STATE_DIR names"

# Without these flags (Windows) the check of every segment still stands.
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class FolderBlobs:
    """See ``leafsight.state.blobs.Blobs``.

    Args:
        folder: made with mode 0700 when missing; may itself be a link, as an operator likes.
        now_s: the clock of the file system, seconds since 1970.

    Raises:
        StateError: the folder cannot be made or used.
    """

    def __init__(self, folder: Path, *, now_s: Callable[[], float] = time.time) -> None:
        self.folder = folder.absolute()
        with _explained(str(self.folder)):
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            _make_private(self.folder)
            _make_private(self.folder / UNFINISHED)
            self._forget_unfinished(now_s() - LEFT_BEHIND_S)
        self.check()

    def put(self, name: str, data: bytes) -> None:
        """Written beside, synced, renamed, folder synced."""
        target = self._path(name)
        check_length(name, len(data), MAX_BLOB_BYTES)
        with _explained(name):
            self._make_folders(name)
            # Not storage.replacing: that gives a file the mode which other programs would give it, and these
            # photographs are nobody else's. mkstemp makes 0600.
            handle, unfinished = tempfile.mkstemp(dir=self.folder / UNFINISHED)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(unfinished).replace(target)
            except BaseException:
                with suppress(OSError):
                    Path(unfinished).unlink()
                raise
            sync_folder(target.parent)

    def get(self, name: str, *, max_bytes: int = MAX_BLOB_BYTES) -> bytes:
        """The length is looked at before a byte is read."""
        path = self._path(name)
        with _explained(name):
            try:
                self._refuse_links(name)
                handle = os.open(path, os.O_RDONLY | NO_LINK)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise NotFoundError(f"there is no blob {name}") from error
            try:
                status = os.fstat(handle)
                if not stat.S_ISREG(status.st_mode):
                    raise NotFoundError(f"there is no blob {name}")
                check_length(name, status.st_size, max_bytes)
                with os.fdopen(handle, "rb", closefd=False) as file:
                    return file.read(max_bytes)
            finally:
                os.close(handle)

    def delete(self, name: str) -> None:
        """Gone for good when it returns: the folder is synced."""
        path = self._path(name)
        with _explained(name):
            try:
                self._refuse_links(name)
                if not stat.S_ISREG(path.lstat().st_mode):
                    return
                path.unlink()
            except (FileNotFoundError, NotADirectoryError):
                return
            sync_folder(path.parent)

    def list(self, prefix: str = "") -> Iterator[str]:
        """Files only; links and what is not finished are left out."""
        start = self._path(prefix) if prefix else self.folder
        with _explained(prefix or "the folder"):
            try:
                self._refuse_links(f"{prefix}/any" if prefix else "any")
            except (FileNotFoundError, NotADirectoryError):
                return
            for here, folders, files in os.walk(start, onerror=_raise_unless_gone):
                folders[:] = [one for one in folders if not one.startswith(".")]
                for file in files:
                    path = Path(here) / file
                    name = path.relative_to(self.folder).as_posix()
                    if is_name(name) and not path.is_symlink():
                        yield name

    def check(self) -> None:
        """The folder is there and may be written to. Nothing is written: this is asked every few seconds."""
        for folder in (self.folder, self.folder / UNFINISHED):
            if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise StateError(
                    "the folder for photographs is gone or cannot be written to",
                    hint=WHERE,
                )

    def _path(self, name: str) -> Path:
        return self.folder / checked_name(name)

    def _segments(self, name: str) -> Iterator[Path]:
        """Each folder on the way to ``name``, from the top, without the root."""
        here = self.folder
        for segment in name.split("/")[:-1]:
            here = here / segment
            yield here

    def _make_folders(self, name: str) -> None:
        for folder in self._segments(name):
            _make_private(folder)
            _refuse_link(folder)

    def _refuse_links(self, name: str) -> None:
        for folder in self._segments(name):
            _refuse_link(folder)

    def _forget_unfinished(self, before_s: float) -> None:
        for path in (self.folder / UNFINISHED).iterdir():
            with suppress(FileNotFoundError):  # another worker starts at the same time
                if path.lstat().st_mtime < before_s:
                    path.unlink()


def _make_private(folder: Path) -> None:
    """Make one folder that outlives a power cut; one that is there keeps its mode."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    sync_folder(folder.parent)


def _refuse_link(folder: Path) -> None:
    if stat.S_ISLNK(folder.lstat().st_mode):
        raise StateError(
            f"{folder.name} in the folder for photographs is a link",
            hint="leafsight made no links there; take it away",
        )


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """The system's errors as ours, without the path: the message may go to who sent the photograph."""
    try:
        with os_errors_translated(Path(name)):
            yield
    except DiskFullError as error:
        raise StateError(f"no room is left on the disk for {name}", hint=error.hint) from error
    except PermissionDeniedError as error:
        raise StateError(
            f"no permission for {name}", hint="check the owner and mode of the folder"
        ) from error
    except StorageError as error:
        raise StateError(f"the folder for photographs: {error.message}", hint=error.hint or WHERE) from error
