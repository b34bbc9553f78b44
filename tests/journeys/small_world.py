"""The product from outside, made small: the command line here or in another process, and a tiny run."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image
from tests.fakes.tiny_bundle import BLUE, GREEN, RED, coloured

SMALL = (
    "preprocessing.side_px=32",
    "stages.whole.epochs=2",
    "model.width=0.25",
    "threads=1",
    "data.ratios={train=0.5,valid=0.15,calibration=0.2,test=0.15}",
)
CONDITIONS = ("healthy", "Rust")


@dataclass(frozen=True)
class Outcome:
    """What a person sees of one command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error_lines(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith(("error:", "hint:"))]


@dataclass(frozen=True)
class World:
    """Drawn photographs, a finished run on them, and its model file."""

    photographs: Path
    run: Path
    model: Path

    def photo(self, number: int = 0) -> Path:
        return sorted(self.photographs.rglob("*.jpg"))[number]


def leafsight(*words: object, stdin: bytes = b"", folder: Path | None = None) -> Outcome:
    """One command in this process."""
    from leafsight.cli.entry import run

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2))
    given = io.TextIOWrapper(io.BytesIO(stdin))
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.enter_context(mock.patch.object(sys, "stdin", given))
        if folder is not None:
            stack.enter_context(contextlib.chdir(folder))
        code = run([str(word) for word in words])
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return Outcome(code, *texts)


def command_line(*words: object, before: str = "") -> list[str]:
    """The command as another process would start it; ``before`` is Python that runs first."""
    return [
        sys.executable,
        "-c",
        f"{before}\nfrom leafsight.cli import main\nmain()",
        *(os.fspath(word) if isinstance(word, Path) else str(word) for word in words),
    ]


def in_another_process(
    *words: object,
    before: str = "",
    folder: Path | None = None,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """One command in a process of its own."""
    done = subprocess.run(
        command_line(*words, before=before),
        input=stdin,
        capture_output=True,
        cwd=folder,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def with_settings(values: Sequence[str] = SMALL) -> list[str]:
    """``--set`` for each value."""
    return [word for value in values for word in ("--set", value)]


def draw(folder: Path, *, seed: int = 0, leaves: int = 6) -> Path:
    """Three drawn classes of some ten photographs each, with a leaf map."""
    from leafsight.dataset import SynthOptions, write_synthetic_collection

    options = SynthOptions(
        crops=("Roundleaf",), conditions=CONDITIONS, leaves_per_class=leaves, views_per_leaf=2, side_px=64,
        seed=seed,
    )  # fmt: skip
    write_synthetic_collection(folder, options)
    return folder


def build_world(folder: Path) -> World:
    """Draw, train, export: what most journeys start from."""
    photographs = draw(folder / "photographs")
    done = leafsight(
        "train", "simple-cnn", "--data", photographs, "--out", folder / "run", "-q", *with_settings()
    )
    assert done.code == 0, done.err
    return World(photographs, folder / "run", folder / "run" / "model.leafsight")


def weights_hash(run: Path) -> str:
    """SHA-256 of the kept weights of a run; of the numbers, for the order of a file's header is by chance."""
    from safetensors.numpy import load_file

    digest = hashlib.sha256()
    for name, values in sorted(load_file(run / "checkpoint" / "best.safetensors").items()):
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def save_picture(path: Path, colour: Sequence[int] = RED, seed: int = 0) -> Path:
    """One photograph of one colour that the tiny bundle of ``tests.fakes`` knows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coloured(colour, seed=seed)).save(path, quality=95)
    return path


def save_collection(folder: Path, counts: Mapping[str, int], *, seed: int = 0) -> Path:
    """Class folders with blotchy photographs that differ from each other."""
    rng = np.random.default_rng(seed)
    for name, count in counts.items():
        for number in range(count):
            path = folder / name / f"{number:03d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            grid = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
            Image.fromarray(grid).resize((40, 40), Image.Resampling.BICUBIC).save(path)
    return folder


COLOURS = {"Apple: scab": RED, "Apple: healthy": GREEN, "Tomato: early blight": BLUE}
