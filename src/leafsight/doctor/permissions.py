"""Whether what is kept belongs to who serves, and secrets are for nobody else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from leafsight.doctor.findings import Finding
from leafsight.storage import is_there

ROOT = 0


def check_permissions(
    state_dir: Path, secret_file: Path | None, *, user: int | None, contained: bool
) -> Iterator[Finding]:
    """Owner and mode of the state folder and of files with secrets; who we are.

    Args:
        state_dir: database, photographs and models.
        secret_file: settings with a secret in them, or None.
        user: number of the user that this process runs as; None where the system has none.
        contained: this process runs in a container.
    """
    if user is None:
        yield Finding(
            "permissions.user", "skipped", "this system has no owners and modes as they are looked at here"
        )
        return
    yield _user(user, contained)
    yield _state_dir(state_dir.expanduser().absolute(), user)
    if secret_file is not None:
        yield _secret_file(secret_file)


def this_user() -> int | None:
    """The number of the user; None on Windows."""
    return os.geteuid() if hasattr(os, "geteuid") else None


def _user(user: int, contained: bool) -> Finding:
    if user == ROOT and contained:
        todo = "run it as another user, such as 10001:10001 of our image"
        return Finding("permissions.user", "warn", "this runs as root in a container", todo)
    return Finding("permissions.user", "ok", f"this runs as user {user}")


def _state_dir(folder: Path, user: int) -> Finding:
    name = "permissions.state"
    try:
        found = folder.stat()
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            todo = f"give it to user {user}"
            return Finding(name, "fail", f"{folder} cannot be looked at: {error.strerror}", todo)
        return Finding(name, "skipped", f"{folder} is not there yet")
    mode = stat.S_IMODE(found.st_mode)
    said = f"{folder} belongs to user {found.st_uid}, mode {mode:04o}"
    if found.st_uid != user and user == ROOT:
        todo = f"run leafsight as user {found.st_uid}: what root makes there, that user cannot change"
        return Finding(name, "warn", f"{said}, and this runs as root", todo)
    if found.st_uid != user and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding(name, "fail", f"{said}, and this runs as user {user}", f"chown -R {user} {folder}")
    if mode & stat.S_IWOTH:
        return Finding(name, "warn", f"{said}: everybody may change it", f"chmod o-w {folder}")
    for file in (folder / "leafsight.db", folder / "blobs"):
        if is_there(file) and stat.S_IMODE(file.stat().st_mode) & stat.S_IROTH:
            return Finding(name, "warn", f"everybody may read {file}", f"chmod o-rwx {file}")
    return Finding(name, "ok", said)


def _secret_file(file: Path) -> Finding:
    name = "permissions.secrets"
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError as error:
        return Finding(name, "skipped", f"{file} cannot be looked at: {error.strerror}")
    if mode & stat.S_IROTH:
        return Finding(
            name, "warn", f"{file} has a secret in it, and everybody may read it", f"chmod 600 {file}"
        )
    return Finding(name, "ok", f"{file} has a secret in it, and not everybody may read it (mode {mode:04o})")
