"""Has a graph converted in a process of its own, see ``formats_program``.

Enters: a graph and photographs. Leaves: the converted model and what it says. It does not know the
converters.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from leafsight.errors import ExportError
from leafsight.evaluation import Scores
from leafsight.export.formats import ModelFormat
from leafsight.export.formats_converted import Converted
from leafsight.export.formats_source import FormatSource
from leafsight.storage import read_json, write_bytes, write_json

QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "1",  # warnings and errors, no news
    "CUDA_VISIBLE_DEVICES": "-1",  # the proof is taken on the processor
    "PYTHONWARNINGS": "default",
}
# What these libraries say on every call, whatever they are given: nothing in it is about the model.
HARMLESS = re.compile(
    r"absl::InitializeLog|Ignored (output_format|drop_control_dependency)|XNNPACK delegate for CPU"
    r"|oneDNN custom operations"
)
ALARMING = re.compile(r"warning|error|^[WEF]\d{4} ", re.IGNORECASE)
MOST_NOTES = 5


def converted_apart(
    wanted: ModelFormat, source: FormatSource, squares: np.ndarray, folder: Path, file: str
) -> Converted:
    """Convert and ask.

    Args:
        wanted: a format that is made from the graph.
        source: of the graph.
        squares: uint8 [n, side, side, 3], the photographs of the proof.
        folder: empty; the model comes to lie there.
        file: its name.

    Raises:
        ExportError: the converter failed; its last words are the hint.
    """
    doors = source.spec
    request = {
        "format": wanted.name,
        "file": file,
        "input": doors.input.name,
        "logits": doors.logits.name,
        "embedding": doors.embedding.name,
    }
    write_json(folder / "request.json", request)
    write_bytes(folder / "graph.onnx", source.graph)
    np.save(folder / "squares.npy", squares)
    done = subprocess.run(  # noqa: S603 (our own module)
        [sys.executable, "-P", "-m", "leafsight.export.formats_program", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **QUIET},
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode or not (folder / "reply.json").exists():
        last = done.stdout.strip().splitlines() or ["it said nothing"]
        raise ExportError(
            f"the converter for {wanted.name} failed with status {done.returncode}", hint=last[-1]
        )
    reply = read_json(folder / "reply.json")
    if "error" in reply:
        raise ExportError(reply["error"], hint=reply["hint"])
    return _read(reply, folder, file, notes_of(done.stdout))


def _read(reply: Mapping[str, Any], folder: Path, file: str, notes: tuple[str, ...]) -> Converted:
    with np.load(folder / "scores.npz") as answers:
        scores = {
            name: Scores(answers[f"{name}_logits"], answers[f"{name}_embedding"])
            for name in ("proved", "usual")
            if f"{name}_logits" in answers
        }
    return Converted(
        path=folder / file,
        scores=scores["proved"],
        runtime=reply["runtime"],
        versions=reply["versions"],
        as_usual=scores.get("usual"),
        how=reply.get("how", ""),
        notes=notes,
    )


def notes_of(said: str) -> tuple[str, ...]:
    """The lines of a converter's talk that people should hear, at most ``MOST_NOTES``."""
    lines = [line.strip() for line in said.splitlines()]
    return tuple(line for line in lines if ALARMING.search(line) and not HARMLESS.search(line))[:MOST_NOTES]
