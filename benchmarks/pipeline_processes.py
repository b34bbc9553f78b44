"""The contenders as processes that wait for their turns, one at a time, and what they hold in memory.

Enters: commands. Leaves: what each turn took. It does not know what a contender does.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.pipeline_work import Setting
from benchmarks.serve.processes import memory_of

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLE_EVERY_S = 0.1
TENSORFLOW = "tensorflow"
PYTHON = Path(TENSORFLOW, "bin", "python")
TORCHVISION = "torchvision"


@dataclass(frozen=True)
class Place:
    """Where a contender runs.

    Attributes:
        module: that takes its turns.
        python: the interpreter.
        environment: added to ours.
    """

    module: str
    python: str = sys.executable
    environment: dict[str, str] = field(default_factory=dict)


class Process:
    """One contender, started and waiting.

    Args:
        name: of the contender.
        place: where it runs.
        setting: what it works on.
        log: file for whatever it prints.
    """

    def __init__(self, name: str, place: Place, setting: Setting, log: Path) -> None:
        self.name, self._log = name, log
        with log.open("ab") as talk:
            self._process = subprocess.Popen(
                [place.python, "-m", place.module, name, setting.to_json()],
                cwd=REPOSITORY,
                env={**os.environ, **place.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=talk,
                text=True,
            )
        self.versions: dict[str, str] = self._heard()["versions"]

    def turn(self, **wanted: Any) -> dict[str, float]:
        """See ``pipeline_work.take_turn``.

        Raises:
            RuntimeError: it ended; the message has the end of what it printed.
        """
        assert self._process.stdin is not None
        print(json.dumps(wanted), file=self._process.stdin, flush=True)
        taken: dict[str, float] = self._heard()
        return taken

    def watched_turn(self, **wanted: Any) -> dict[str, float]:
        """A turn during which memory is looked at: also ``idle_mib`` before it and ``peak_mib``.

        Memory of its own, with its children; pages that a file is behind are not counted (``serve``'s
        ``Memory`` says why), so neither libraries nor the packed cache. The time is disturbed.
        """
        idle_mib = peak_mib = self.own_mib()
        over = threading.Event()

        def look() -> None:
            nonlocal peak_mib
            while not over.wait(SAMPLE_EVERY_S):
                peak_mib = max(peak_mib, self.own_mib())

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            taken = self.turn(**wanted)
        finally:
            over.set()
            watcher.join()
        return {**taken, "idle_mib": idle_mib, "peak_mib": peak_mib}

    def own_mib(self) -> float:
        """Of the process and everything below it."""
        found = [memory_of(pid) for pid in family(self._process.pid)]
        return sum(one.rss_mib if one.own_mib is None else one.own_mib for one in found if one is not None)

    def end(self) -> None:
        """Let it go."""
        try:
            self._process.communicate(timeout=30)  # which closes its standard input
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.end()
            raise RuntimeError(f"{self.name} ended: {self._log.read_text(errors='replace')[-2000:]}")
        return json.loads(line)


def family(pid: int) -> list[int]:
    """A process and its descendants (Linux)."""
    found = [pid]
    for one in found:  # grows while it is read
        try:
            tasks = list(Path(f"/proc/{one}/task").iterdir())
            found += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue  # ended meanwhile
    return found


def places(names: dict[str, str], venv: Path | None) -> dict[str, Place]:
    """Where each contender runs; peers that are not installed are left out.

    Args:
        names: module by contender.
        venv: folder that ``set_up`` filled.
    """
    found = {}
    for name, module in names.items():
        if module == "benchmarks.pipeline_tensorflow":
            if venv is not None and (venv / PYTHON).exists():
                quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
                found[name] = Place(module, str(venv / PYTHON), quiet)
        elif name.startswith("torchvision"):
            if venv is not None and (venv / TORCHVISION).is_dir():
                found[name] = Place(module, environment={"PYTHONPATH": str(venv / TORCHVISION)})
        else:
            found[name] = Place(module)
    return found


def set_up(venv: Path, tensorflow: str) -> None:
    """Install the peers: TensorFlow into an environment, torchvision's files for our torch into a folder.

    torchvision gets no dependencies of its own: torch, NumPy and Pillow are ours, so not they are compared.
    """
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # torchvision 0.(n + 15) belongs to torch 2.n.
    minor = int(metadata.version("torch").split(".")[1]) + 15
    folder = ["--no-deps", "--upgrade", "--target", str(venv / TORCHVISION)]
    for command in (
        [sys.executable, "-m", "venv", str(venv / TENSORFLOW)],
        [str(venv / PYTHON), *pip, tensorflow],
        [sys.executable, *pip, *folder, f"torchvision==0.{minor}.*"],
    ):
        print(shlex.join(command), file=sys.stderr, flush=True)
        subprocess.run(command, check=True)
