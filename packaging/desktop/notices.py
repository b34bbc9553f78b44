"""The licences of what a standalone build holds: ``python notices.py FOLDER``, in its environment."""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
from importlib.metadata import Distribution, distributions
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
NOT_INSIDE = {"altgraph", "pip", "pyinstaller-hooks-contrib", "setuptools"}
LICENCE = re.compile(r"(licen[cs]e|copying|notice|thirdparty)", re.IGNORECASE)
FOREWORD = """\
leafsight is licensed under the Apache License 2.0 (LICENSE, NOTICE). This folder holds the licences of the
programs and libraries that lie beside it.

Qt and PySide6 are used under the GNU Lesser General Public License 3 (LGPL-3.0.txt, GPL-3.0.txt). They are
files of their own in _internal and may be replaced by others of the same interface, also by changed ones.
Their sources, of the version that is named below:
https://code.qt.io and https://download.qt.io/official_releases/QtForPython/
The program itself starts with the bootloader of PyInstaller, whose licence permits that for programs of any
licence. Libraries of the system that it was built on (X11, GLib, OpenSSL and others) are under the licences
that this system gives with them.

"""


def main() -> None:
    """Collect them."""
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for own in (*sorted((HERE / "licences").iterdir()), REPOSITORY / "LICENSE", REPOSITORY / "NOTICE"):
        shutil.copy(own, folder / own.name)
    of_python = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    if of_python.exists():
        shutil.copy(of_python, folder / "Python.txt")
    lines = []
    for one in sorted(distributions(), key=lambda one: one.name.lower()):
        if one.name.lower() not in {*NOT_INSIDE, "leafsight"}:
            lines.append(f"{one.name} {one.version}: {licence_of(one)}\n")
            keep(one, folder / f"{one.name}-{one.version}")
    (folder / "README.txt").write_text(FOREWORD + "".join(lines), encoding="utf-8")


def keep(one: Distribution, folder: Path) -> None:
    """The licence files of one distribution; two of one name both stay."""
    for file in one.files or ():
        inside = any(part.endswith(".dist-info") for part in file.parts)
        if inside and LICENCE.search(file.name) and Path(str(file.locate())).is_file():
            folder.mkdir(exist_ok=True)
            rest = file.parts[
                file.parts.index(next(part for part in file.parts if part.endswith("-info"))) + 1 :
            ]
            shutil.copy(str(file.locate()), folder / "-".join(rest))


def licence_of(one: Distribution) -> str:
    """As it says itself, in one line."""
    told = one.metadata
    named = told["License-Expression"] or (told["License"] or "").strip().partition("\n")[0]
    kinds = [
        kind.rpartition(" :: ")[2] for kind in told.get_all("Classifier") or () if kind.startswith("License")
    ]
    return named or ", ".join(kinds) or "see its files"


if __name__ == "__main__":
    main()
