"""An entry in the start menu, an icon, and who opens model files, by the rules of freedesktop.org (Linux).

Enters: the words that start leafsight, and its picture. Leaves: files below ``XDG_DATA_HOME``, of this user
alone, and the desktop's lists made anew where its tools are installed; or all of that gone. It names no
default program for photographs, and does not know what a window is.

- https://specifications.freedesktop.org/desktop-entry-spec/1.5/
- https://specifications.freedesktop.org/icon-theme-spec/0.13/
- https://specifications.freedesktop.org/shared-mime-info-spec/0.21/
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from leafsight.errors import UsageError
from leafsight.storage import os_errors_translated, write_bytes, write_text

BUNDLE_TYPE = "application/vnd.leafsight.bundle"
PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff")
ENTRY, PACKAGE = Path("applications/leafsight.desktop"), Path("mime/packages/leafsight.xml")
ICONS = Path("icons/hicolor")
DRAWING = ICONS / "scalable/apps/leafsight.svg"
TOOL_WITHIN_S = 60.0
MIME_LISTS = (
    "aliases", "generic-icons", "globs", "globs2", "icons", "magic", "mime.cache", "subclasses", "treemagic",
    "types", "version", "XMLnamespaces",
)  # fmt: skip
"""What update-mime-database writes beside ``packages``."""
RESERVED = frozenset(" \t\n\"'\\><~|&;$*?#()`%")
MIME = f"""<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="{BUNDLE_TYPE}">
    <comment>leafsight model</comment>
    <sub-class-of type="application/zip"/>
    <icon name="leafsight"/>
    <glob pattern="*.leafsight"/>
  </mime-type>
</mime-info>
"""


def data_home() -> Path:
    """Where the desktop of this user looks.

    Raises:
        UsageError: this is no system with such a place.
    """
    if not sys.platform.startswith(("linux", "freebsd", "openbsd", "netbsd")):
        raise UsageError(
            "on this system the start menu belongs to the standalone build",
            hint="how to build and install that stands in packaging/desktop/README.md",
        )
    named = os.environ.get("XDG_DATA_HOME", "")
    return Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "share"


def install_shortcuts(
    home: Path, command: Sequence[str], drawing: bytes, pictures: Mapping[int, bytes]
) -> tuple[Path, ...]:
    """Write entry, icons and type; once more is the same as once.

    Args:
        home: of ``data_home``.
        command: starts the window; files are put after it.
        drawing: the icon as SVG.
        pictures: the icon as PNG, by its side in pixels.

    Returns:
        What was written.

    Raises:
        UsageError: the program lies where no entry can name it.
        PermissionDeniedError, StorageError: the folder cannot be written.
    """
    entry = desktop_entry(command)
    icons = {ICONS / f"{side}x{side}/apps/leafsight.png": body for side, body in pictures.items()}
    for place, body in {**icons, DRAWING: drawing}.items():
        with os_errors_translated(home / place):
            (home / place).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(home / place, body)
    for place, text in ((PACKAGE, MIME), (ENTRY, entry)):
        with os_errors_translated(home / place):
            (home / place).parent.mkdir(parents=True, exist_ok=True)
        write_text(home / place, text)
    _tell_the_desktop(home)
    return tuple(home / place for place in (*icons, DRAWING, PACKAGE, ENTRY))


def remove_shortcuts(home: Path) -> tuple[Path, ...]:
    """Take away what ``install_shortcuts`` wrote, and the folders and lists that are empty then.

    Args:
        home: of ``data_home``.

    Returns:
        What was there and is gone.

    Raises:
        PermissionDeniedError, StorageError: the folder cannot be written.
    """
    written = (ENTRY, PACKAGE, DRAWING, *_pictures(home))
    gone = tuple(home / place for place in written if (home / place).is_file())
    for path in gone:
        with os_errors_translated(path):
            path.unlink()
    if gone:
        _tell_the_desktop(home)
        _sweep(home)
        for path in gone:
            _remove_empty(path.parent, home)
    return gone


def desktop_entry(command: Sequence[str]) -> str:
    """The entry of the start menu.

    Raises:
        UsageError: the program's path cannot stand in one.
    """
    program = command[0]
    if "=" in program or "\n" in program:
        raise UsageError(
            f"an entry of the start menu cannot name {program}", hint='move it where no folder has a "="'
        )
    words = " ".join(quoted(word) for word in command)
    lines = {
        "Type": "Application",
        "Version": "1.1",
        "Name": "leafsight",
        "GenericName": "Plant disease recognition",
        "Comment": "Say what is wrong with a leaf, from photographs",
        "Keywords": "plant;leaf;disease;crop;photograph;",
        "TryExec": _escaped(program),
        "Exec": _escaped(f"{words} %F"),
        "Icon": "leafsight",
        "Terminal": "false",
        "Categories": "Science;Biology;",
        "MimeType": "".join(f"{one};" for one in (BUNDLE_TYPE, *PHOTO_TYPES)),
        "StartupNotify": "true",
        "StartupWMClass": "leafsight",
    }
    return "[Desktop Entry]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())


def quoted(word: str) -> str:
    """A word of the key Exec, before it is escaped as every value is."""
    if word and not RESERVED.intersection(word):
        return word
    inside = "".join(f"\\{sign}" if sign in '"`$\\' else sign for sign in word)
    return '"' + inside.replace("%", "%%") + '"'


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def _pictures(home: Path) -> list[Path]:
    return sorted(path.relative_to(home) for path in (home / ICONS).glob("*x*/apps/leafsight.png"))


def _tell_the_desktop(home: Path) -> None:
    """Lists are made anew; without the tools a desktop finds out by itself, or at the next login."""
    for tool, folder in (("update-mime-database", "mime"), ("update-desktop-database", "applications")):
        program = shutil.which(tool)
        if program is not None and (home / folder).is_dir():
            with suppress(OSError, subprocess.SubprocessError):
                subprocess.run(  # noqa: S603  # a tool of the desktop, on a folder of this user
                    [program, str(home / folder)], capture_output=True, timeout=TOOL_WITHIN_S, check=False
                )
    with suppress(OSError):
        os.utime(home / ICONS)  # an older cache of icons is no longer believed


def _sweep(home: Path) -> None:
    """Lists of nothing, where this entry and this type were the only ones."""
    mime, applications = home / "mime", home / "applications"
    if mime.is_dir() and not any((mime / "packages").glob("*")):
        for name in MIME_LISTS:
            (mime / name).unlink(missing_ok=True)
        for emptied in (mime / BUNDLE_TYPE.partition("/")[0], mime / "packages"):
            _remove_empty(emptied, home)
    if applications.is_dir() and [one.name for one in applications.iterdir()] == ["mimeinfo.cache"]:
        (applications / "mimeinfo.cache").unlink(missing_ok=True)


def _remove_empty(folder: Path, home: Path) -> None:
    """This folder and those above it, as far as nothing is in them, up to ``home``, which stays."""
    while folder != home:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = folder.parent
