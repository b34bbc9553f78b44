"""Makes the standalone window: a folder with the program and all that it needs, Python included.

    python3.11 packaging/desktop/build.py [--out FOLDER] [--small] [--keep-venv]

It needs Python 3.11 or newer, a package registry and two minutes. What it installs goes into an environment
of its own below FOLDER, which is removed afterwards. PyInstaller builds for the system that it runs on only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
NAME = "leafsight-desktop"
FAILED, CANNOT_BE_INSTALLED = 1, 3
FOR_COLLECTIONS = ("pyarrow", "matplotlib")
MEGABYTE = 10**6
# Compiled modules that their wheels left as the linker made them.
WITH_TABLES = (
    "libpython*.so*", "python3.*/lib-dynload/*.so", "uvloop/*.so", "yaml/*.so", "greenlet/*.so",
    "sqlalchemy/**/*.so", "httptools/**/*.so",
    "kiwisolver/*.so", "contourpy/*.so", "matplotlib/**/*.so",
)  # fmt: skip


class StoppedError(Exception):
    """A step failed; its own words are on the screen."""

    def __init__(self, message: str, hint: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.hint, self.status = hint, status


def main() -> int:
    """Build it and say how large it is and how long that took."""
    parser = argparse.ArgumentParser(description="Make the standalone window of leafsight.")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "dist", help="where the folder goes")
    parser.add_argument(
        "--small",
        action="store_true",
        help="without what 'Understand the data' and 'Teach' on this computer need: 120 MB less",
    )
    parser.add_argument("--keep-venv", action="store_true", help="keep the environment for the next build")
    given = parser.parse_args()
    begun = time.monotonic()
    out = given.out.resolve()
    making = out / "making"
    try:
        python = install(making / "venv", complete=not given.small)
        built = freeze(python, out, making, complete=not given.small)
    except StoppedError as error:
        print(f"error: {error}\nhint: {error.hint}", file=sys.stderr)
        return error.status
    finally:
        for left in making.iterdir() if making.is_dir() else ():
            if not (given.keep_venv and left.name == "venv"):
                shutil.rmtree(left, ignore_errors=True)
        if making.is_dir() and not any(making.iterdir()):
            making.rmdir()
    print(f"{built}: {size_bytes(built) / MEGABYTE:.0f} MB, made in {time.monotonic() - begun:.0f} s")
    return 0


def install(venv: Path, *, complete: bool) -> Path:
    """The Python of an environment with leafsight, without what trains, and PyInstaller."""
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stopped = StoppedError(
        "what the build needs cannot be installed",
        "a package registry must be reachable, and Python must have its module venv",
        CANNOT_BE_INSTALLED,
    )
    if not python.exists():
        run([sys.executable, "-m", "venv", venv], stopped)
    more = FOR_COLLECTIONS if complete else ()
    run(
        [
            python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1",
            "-c", REPOSITORY / "constraints.txt", "-r", HERE / "requirements.txt",
            f"{REPOSITORY}[desktop,serve]", *more,
        ],
        stopped,
    )  # fmt: skip
    return python


def freeze(python: Path, out: Path, making: Path, *, complete: bool) -> Path:
    """The folder that PyInstaller made, with the licences in it."""
    icons = making / "icons"
    icons.mkdir(parents=True, exist_ok=True)
    stopped = StoppedError("the program could not be built", "the lines above say at what it stopped")
    run([python, HERE / "icons.py", icons], stopped, QT_QPA_PLATFORM="offscreen")
    run(
        [
            python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN",
            "--distpath", out, "--workpath", making / "work", HERE / "leafsight.spec",
        ],
        stopped,
        LEAFSIGHT_BUILD_ICONS=str(icons),
        LEAFSIGHT_BUILD_COMPLETE="1" if complete else "0",
        PYINSTALLER_CONFIG_DIR=str(making / "cache"),
    )  # fmt: skip
    folder = out / NAME
    strip(folder)
    notices = [folder / "licences"]
    if (out / "leafsight.app").is_dir():
        notices.append(out / "leafsight.app" / "Contents" / "Resources" / "licences")
    for notice in notices:
        run([python, HERE / "notices.py", notice], stopped)
    return folder


def strip(folder: Path) -> None:
    """Take the debugging tables out of Python itself, where it was compiled by hand, and a few others: 52 MB.

    Not out of every library: those that a wheel brings along have been changed after linking, which ``strip``
    does not always survive.
    """
    if not sys.platform.startswith("linux") or shutil.which("strip") is None:
        return
    for pattern in WITH_TABLES:
        for library in (folder / "_internal").glob(pattern):
            subprocess.run(["strip", "--strip-unneeded", library], check=False)


def run(words: list[object], stopped: StoppedError, **more: str) -> None:
    """One step, without whatever the one who builds has on Python's path.

    Raises:
        StoppedError: it failed.
    """
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    clean |= {"PYTHONNOUSERSITE": "1", **more}
    if subprocess.run([str(word) for word in words], env=clean, check=False).returncode:
        raise stopped


def files(folder: Path) -> Iterator[Path]:
    """Every file of a folder that takes room; links do not."""
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def size_bytes(folder: Path) -> int:
    """How large a folder is."""
    return sum(path.stat().st_size for path in files(folder))


if __name__ == "__main__":
    sys.exit(main())
