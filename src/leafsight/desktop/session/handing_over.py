"""What a second start says to the window that is open, and where that window listens.

Enters: files that a person wants opened, or a line that somebody sent. Leaves: that line, or the files. What
was sent is trusted with nothing: it may name files, and that is all. It does not know what it travels by.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

MOST_BYTES = 2 * 1024**2
"""Of one message: some ten milliseconds to read."""
MOST_PATHS = 200
MOST_PATH_BYTES = 4096
TOKEN = re.compile(r"[\x21-\x7e]{1,256}")


@dataclass(frozen=True, slots=True)
class Handed:
    """What the window that is open is asked for; with nothing in it, to come to the front.

    Attributes:
        photos: photographs and folders to open, absolute.
        models: model files that a person wants to use, absolute.
        token: by which the desktop (Wayland) knows that a person wants this window in front.
    """

    photos: tuple[Path, ...] = ()
    models: tuple[Path, ...] = ()
    token: str = ""

    def in_parts(self) -> Iterator[Handed]:
        """The same in messages that are not too long."""
        yield Handed((), self.models[:MOST_PATHS], self.token)
        photos = iter(self.photos)
        while part := tuple(islice(photos, MOST_PATHS)):
            yield Handed(part)


def message_of(handed: Handed) -> bytes:
    """One line."""
    plain = {
        "photos": [str(one) for one in handed.photos],
        "models": [str(one) for one in handed.models],
        "token": handed.token,
    }
    # A name that is no UTF-8 travels as the bytes that it is.
    return json.dumps(plain, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"


def handed_in(line: bytes) -> Handed:
    """What a line asks for.

    Raises:
        ValueError: it is not one of ours: too long, no JSON, or something else than absolute paths in it.
    """
    if len(line) > MOST_BYTES:
        raise ValueError("the message is too long")
    try:
        plain = json.loads(line.decode("utf-8", "surrogateescape"))
    except RecursionError as error:
        raise ValueError("the message is no list of files") from error
    if not isinstance(plain, dict) or set(plain) != {"photos", "models", "token"}:
        raise ValueError("the message is no list of files")
    token = plain["token"]
    if not isinstance(token, str) or (token and not TOKEN.fullmatch(token)):
        raise ValueError("the message has a token that is none")
    return Handed(_paths(plain["photos"]), _paths(plain["models"]), token)


def token_of(environment: dict[str, str] | os._Environ[str]) -> str:
    """The token that the desktop gave to this process, or none."""
    token = environment.get("XDG_ACTIVATION_TOKEN", "")
    return token if TOKEN.fullmatch(token) else ""


def address_of(folder: Path) -> str:
    """Where the window that keeps its photographs in a folder listens: a socket, on Windows a pipe.

    The folder of the sockets belongs to this user alone, so nobody else listens there or speaks to it.

    Raises:
        OSError: there is no such folder, and none can be made.
    """
    digest = sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:16]
    return f"leafsight-{digest}" if os.name == "nt" else str(_own_folder() / f"leafsight-{digest}")


def _own_folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if Path(runtime).is_absolute() and _is_ours(Path(runtime)):
        return Path(runtime)
    folder = Path(tempfile.gettempdir()) / f"leafsight-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not _is_ours(folder):
        raise PermissionError(f"{folder} is not a folder of this user alone")
    return folder


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _paths(names: object) -> tuple[Path, ...]:
    if not isinstance(names, list) or len(names) > MOST_PATHS:
        raise ValueError("the message is no list of files")
    return tuple(_path(name) for name in names)


def _path(name: object) -> Path:
    if (
        not isinstance(name, str)
        or "\0" in name
        or not Path(name).is_absolute()
        or len(name.encode("utf-8", "surrogateescape")) > MOST_PATH_BYTES
    ):
        raise ValueError("the message names something that is no file")
    return Path(name)
