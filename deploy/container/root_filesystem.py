"""Gathers the files that a Python program needs, and no others: the whole root of an image that has no shell.

    python3 root_filesystem.py --environment /opt/leafsight --out /rootfs

Runs in a stage that builds, with the Python that the environment was made with. Leaves in ``--out``: that
Python and its library, each shared library that a compiled file asks for, certificates, a user, folders.
For scanners it leaves the notes of Debian's packages whose files are in it, where images without a package
manager have them: ``/var/lib/dpkg/status.d``.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

USER, USER_ID, HOME = "leafsight", 10001, "/var/lib/leafsight"
# Of Python's library: tests, what wants a screen, and what installs packages.
LEFT_OUT = {
    "__pycache__", "test", "tests", "idlelib", "idle_test", "tkinter", "turtledemo", "turtle.py", "ensurepip",
    "lib2to3", "site-packages", "dist-packages", "pydoc_data", "venv",
}  # fmt: skip
LEFT_OUT_STARTS = ("_tkinter", "_test", "_ctypes_test", "_xxtestfuzz", "xxlimited", "config-")
# Loaded by name when a host is looked up, so no compiled file asks for them.
NAME_SERVICE = ("libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2")
FILES = {
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
    "/etc/os-release": "base-files",
    "/etc/debian_version": "base-files",
    "/usr/bin/tini-static": "tini",
}
MERGED = ("bin", "lib", "lib64", "sbin")


def main() -> int:
    """Fill the folder and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environment", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    root = Root(given.out)
    root.skeleton()
    root.python()
    for name in FILES:
        root.take(Path(name))
    compiled = [*compiled_files(given.out), *compiled_files(given.environment)]
    for library in sorted({*needed(compiled), *name_service()}):
        if not library.is_relative_to(given.environment):
            root.take(library)
    root.notes()
    subprocess.run(["/sbin/ldconfig", "-X", "-r", str(given.out)], check=True)
    print(f"{sum(1 for one in given.out.rglob('*') if one.is_file())} files")
    return 0


class Root:
    """The folder that becomes ``/``.

    Args:
        out: the folder; made here.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._taken: set[Path] = set()

    def skeleton(self) -> None:
        """Folders, links and the user, as Debian has them."""
        for name in (
            "usr/bin",
            "usr/lib",
            "usr/lib64",
            "usr/sbin",
            "etc",
            "proc",
            "sys",
            "dev",
            "run",
            "var/lib",
            "opt",
        ):
            (self._out / name).mkdir(parents=True, exist_ok=True)
        for name in MERGED:
            if Path("/", name).is_symlink():
                (self._out / name).symlink_to(f"usr/{name}")
        for name in ("tmp", "var/tmp"):
            (self._out / name).mkdir(parents=True)
            (self._out / name).chmod(0o1777)
        home = self._out / HOME.lstrip("/")
        home.mkdir(mode=0o750)
        os.chown(home, USER_ID, USER_ID)
        etc = self._out / "etc"
        (etc / "passwd").write_text(
            f"root:x:0:0:root:/root:/sbin/nologin\n{USER}:x:{USER_ID}:{USER_ID}::{HOME}:/sbin/nologin\n"
        )
        (etc / "group").write_text(f"root:x:0:\n{USER}:x:{USER_ID}:\n")
        (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
        if Path("/etc/ld.so.conf").exists():
            shutil.copy("/etc/ld.so.conf", etc / "ld.so.conf")
            shutil.copytree("/etc/ld.so.conf.d", etc / "ld.so.conf.d")

    def python(self) -> None:
        """The interpreter with the names that lead to it, and its library without what nobody asks for."""
        name = Path(sys.executable)
        while name.is_symlink():
            self.take(name)
            name = name.parent / name.readlink()
        self.take(name)
        library = Path(sysconfig.get_path("stdlib"))
        for folder, folders, files in os.walk(library):
            folders[:] = sorted(one for one in folders if not left_out(one))
            for name in sorted(files):
                if not left_out(name) and not name.endswith((".pyc", ".a")):
                    self.take(Path(folder, name))

    def take(self, path: Path) -> None:
        """Copy a file to where it is, with the links that lead to it.

        Raises:
            FileNotFoundError: it is not there.
        """
        real = path.resolve(strict=True)
        self._copy(real)
        # Only the last part may be a link (libz.so.1 -> libz.so.1.2.13); those of folders are made above.
        beside = Path(path.parent.resolve(), path.name)
        if beside != real:
            target = self._out / str(beside).lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_symlink():
                target.symlink_to(os.path.relpath(real, beside.parent))
            self._taken.add(beside)

    def _copy(self, real: Path) -> None:
        target = self._out / str(real).lstrip("/")
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(real, target)
        self._taken.add(real)

    def notes(self) -> None:
        """What Debian says of each package of which something was taken."""
        folder = self._out / "var/lib/dpkg/status.d"
        folder.mkdir(parents=True)
        stanzas = dict(installed_packages())
        for name in sorted(set(owners(self._taken)) | set(FILES.values())):
            if name in stanzas:
                (folder / name).write_text(stanzas[name] + "\n")


def left_out(name: str) -> bool:
    return name in LEFT_OUT or name.startswith(LEFT_OUT_STARTS)


def compiled_files(folder: Path) -> Iterator[Path]:
    """Programs and shared libraries below a folder, by their first four bytes."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as opened:
                if opened.read(4) == b"\x7fELF":
                    yield path


def needed(compiled: list[Path]) -> Iterator[Path]:
    """Where the loader finds what the files ask for, and the loader itself.

    Raises:
        FileNotFoundError: a library is nowhere.
    """
    for path in compiled:
        said = subprocess.run(["ldd", str(path)], capture_output=True, text=True).stdout
        for line in said.splitlines():
            if found := re.search(r"(?:=> )?(/\S+) \(0x", line):
                yield Path(found[1])
            elif "not found" in line and not is_optional(line):
                raise FileNotFoundError(f"{path} asks for {line.strip()}")


def is_optional(line: str) -> bool:
    """Libraries of graphics cards come with the card's driver, not with an image."""
    return bool(re.search(r"lib(cuda|nvidia)", line))


def name_service() -> Iterator[Path]:
    """Libraries that are loaded by name."""
    folder = Path("/usr/lib", sysconfig.get_config_var("MULTIARCH") or "")
    yield from (folder / name for name in NAME_SERVICE if (folder / name).exists())


def installed_packages() -> Iterator[tuple[str, str]]:
    """Debian's packages and their notes."""
    for stanza in Path("/var/lib/dpkg/status").read_text().split("\n\n"):
        if found := re.search(r"^Package: (\S+)", stanza, flags=re.MULTILINE):
            yield found[1], stanza.strip()


def owners(paths: set[Path]) -> Iterator[str]:
    """The packages that the files are from; a file may be from none, such as a Python built apart."""
    wanted = {str(one) for one in paths} | {str(one).removeprefix("/usr") for one in paths}
    for listed in Path("/var/lib/dpkg/info").glob("*.list"):
        if wanted & set(listed.read_text().splitlines()):
            yield listed.stem.split(":")[0]


if __name__ == "__main__":
    raise SystemExit(main())
