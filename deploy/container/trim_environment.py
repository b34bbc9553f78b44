"""Takes out of an installed environment what a running service never opens.

    python3 trim_environment.py /opt/leafsight

Goes: tests of libraries, what compilers read, commands of other packages, and parts of ONNX Runtime that its
Python module does not load. Symbol tables go from libraries whose wheels left them as the linker made them.
What a wheel was mended with afterwards (``*.libs`` and who asks for it) is left alone: stripping breaks some.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

FOLDERS = (
    "tests",
    "onnxruntime/transformers",
    "onnxruntime/tools",
    "onnxruntime/datasets",
    "torch/include",
    "torch/test",
)
ENDINGS = (".pyi", ".pyx", ".pxd", ".c", ".h", ".hpp", ".cpp", ".a")
# The runtime for programs in C; the module for Python holds all of it once more.
FILES = ("onnxruntime/capi/libonnxruntime.so.*", "torch/bin/test_*", "torch/bin/protoc*")
WITH_TABLES = ("uvloop", "sqlalchemy", "yaml", "greenlet", "httptools", "obstore", "watchfiles")


def main() -> int:
    """Trim and say how much that was."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("environment", type=Path)
    environment = parser.parse_args().environment
    [packages] = environment.glob("lib/python3.*/site-packages")
    before = size_bytes(environment)
    for folder in folders(packages):
        shutil.rmtree(folder)
    for path in [*unread(packages), *commands(environment / "bin")]:
        path.unlink()
    for library in libraries(packages):
        subprocess.run(["strip", "--strip-unneeded", str(library)], check=True)
    print(f"{(before - size_bytes(environment)) / 1e6:.1f} MB less")
    return 0


def folders(packages: Path) -> Iterator[Path]:
    """Whole folders that go; torch and what trains with it keep theirs, some of which they import."""
    for name in FOLDERS:
        found = packages.rglob(name) if "/" not in name else [packages / name]
        for folder in sorted(found):
            if folder.is_dir() and ("/" in name or folder.relative_to(packages).parts[0] != "torch"):
                yield folder


def unread(packages: Path) -> list[Path]:
    """Files that nothing reads at run time."""
    named = [path for pattern in FILES for path in packages.glob(pattern)]
    by_ending = (path for path in packages.rglob("*") if path.suffix in ENDINGS and path.is_file())
    return [*named, *(path for path in by_ending if path.relative_to(packages).parts[0] != "torch")]


def commands(folder: Path) -> list[Path]:
    """All but Python."""
    return [path for path in folder.iterdir() if not path.name.startswith("python")]


def libraries(packages: Path) -> Iterator[Path]:
    """Compiled modules of the packages that left their tables in."""
    for name in WITH_TABLES:
        yield from sorted((packages / name).rglob("*.so"))


def size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


if __name__ == "__main__":
    raise SystemExit(main())
