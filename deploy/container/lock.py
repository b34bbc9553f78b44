"""Writes what the images install, with the hash of every file: ``python deploy/container/lock.py``.

Enters: ``pyproject.toml`` for what, ``constraints.txt`` for which version. Leaves beside this file
``requirements-*.txt`` for serve, train, build and torch-cuda. It needs uv (``pip install uv``) and a package
registry. torch is apart: its build for processors alone does not come from PyPI, so it has a file of its own,
``requirements-torch.txt``, which is kept by hand.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
EXTRAS = {"serve": ("serve", "web", "telemetry"), "train": ("serve", "web", "telemetry", "train")}
BUILD = ("hatchling", "cyclonedx-bom")
HEAD = "# Made by deploy/container/lock.py from pyproject.toml and constraints.txt. Do not edit.\n"
# The platforms that images are built for, and the Python in them.
PYTHON = "3.11"
TORCH_IS_APART = re.compile(r"(torch|triton|cuda-.*|nvidia-.*)$")


def main() -> int:
    """Write all of them."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if not Path(uv).exists():
        print("error: uv is not installed\nhint: pip install uv", file=sys.stderr)
        return 2
    for name, extras in EXTRAS.items():
        words = [str(REPOSITORY / "pyproject.toml"), *(word for one in extras for word in ("--extra", one))]
        write(uv, name, words)
    with tempfile.TemporaryDirectory() as made:
        for name, packages in {"build": BUILD, "torch-cuda": ("torch",)}.items():
            wanted = Path(made) / f"{name}.in"
            wanted.write_text("\n".join(packages) + "\n")
            write(uv, name, [str(wanted)])
    return 0


def write(uv: str, name: str, words: list[str]) -> None:
    """One file, written whole or not at all."""
    command = [
        uv, "pip", "compile", *words, "--constraint", str(REPOSITORY / "constraints.txt"), "--universal",
        "--python-version", PYTHON, "--generate-hashes", "--no-annotate", "--no-header", "--quiet",
        # Which registry answers is the reader's affair and belongs into no file.
        "--no-emit-index-url", "--no-emit-find-links",
    ]  # fmt: skip
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    made = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    target = HERE / f"requirements-{name}.txt"
    fresh = target.with_suffix(".new")
    fresh.write_text(HEAD + (made if name == "torch-cuda" else without_torch(made)))
    fresh.rename(target)
    print(f"{target.relative_to(REPOSITORY)}: {len(names(target.read_text()))} packages")


def without_torch(text: str) -> str:
    """The same list without torch and what only its build for graphics cards wants."""
    kept, leaving = [], False
    for line in text.splitlines(keepends=True):
        if not line.startswith((" ", "#")):
            leaving = bool(TORCH_IS_APART.match(re.split(r"[=\s;]", line, maxsplit=1)[0]))
        if not leaving:
            kept.append(line)
    return "".join(kept)


def names(text: str) -> list[str]:
    """The packages that a list names."""
    return re.findall(r"^([a-z0-9][\w.-]*)==", text, flags=re.MULTILINE)


if __name__ == "__main__":
    raise SystemExit(main())
