"""Torch's own formats: TorchScript, and the exported program of ``torch.export``.

Enters: a network. Leaves: a file, and what it says. leafsight opens no such file: both formats can carry
code. The proof reads the bytes that were just made, in memory, before they are written; nothing is read from
a disk.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from leafsight.errors import ExportError
from leafsight.evaluation import Scores
from leafsight.export.formats_converted import Converted
from leafsight.export.parity import BATCH
from leafsight.export.tracing import KNOWN_WARNINGS, door_of
from leafsight.models import Network
from leafsight.storage import write_bytes

MOST_AT_ONCE = 4096
"""Photographs in one call; torch.export wants a bound."""


def converted_by_torch(
    name: str, network: Network, squares: np.ndarray, path: Path, *, mirrored: bool = False
) -> Converted:
    """Write a network in one of torch's formats.

    Args:
        name: ``torchscript`` or ``torch-export``.
        network: left as it is.
        squares: uint8 [n, side, side, 3], the photographs of the proof.
        path: of the file.
        mirrored: look at the mirror image too.

    Raises:
        ExportError: torch cannot express the network so.
    """
    door = door_of(network, mirrored=mirrored)
    # Two: torch.export takes a batch of one for a constant.
    example = torch.zeros(2, *squares.shape[1:], dtype=torch.uint8)
    make = _scripted if name == "torchscript" else _exported
    with warnings.catch_warnings(), torch.no_grad():
        for message, category in KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message=message, category=category)
        # TorchScript is deprecated, and docs/export.md says so once instead of three times a run.
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=DeprecationWarning)
        try:
            data, program = make(door, example)
        except (RuntimeError, torch.jit.Error, torch._dynamo.exc.TorchDynamoException) as error:
            reason = str(error).strip().splitlines()[0]
            raise ExportError(f"{network.options.name} cannot be expressed in {name}: {reason}") from error
        scores = _asked(program, squares)
    write_bytes(path, data)
    versions = {"torch": version("torch")}
    return Converted(path, scores, f"torch {versions['torch']}", versions)


def _scripted(door: nn.Module, example: torch.Tensor) -> tuple[bytes, Callable[..., Any]]:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(door, example), buffer)  # type: ignore[no-untyped-call]
    buffer.seek(0)
    return buffer.getvalue(), torch.jit.load(buffer)  # type: ignore[no-untyped-call]


def _exported(door: nn.Module, example: torch.Tensor) -> tuple[bytes, Callable[..., Any]]:
    photographs = torch.export.Dim("n", min=1, max=MOST_AT_ONCE)
    program = torch.export.export(door, (example,), dynamic_shapes=({0: photographs},))
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    buffer.seek(0)
    return buffer.getvalue(), torch.export.load(buffer).module()


def _asked(program: Callable[..., Any], squares: np.ndarray) -> Scores:
    logits, embeddings = [], []
    for at in range(0, len(squares), BATCH):
        one, two, _ = program(torch.from_numpy(np.array(squares[at : at + BATCH])))
        logits.append(one.numpy())
        embeddings.append(two.numpy())
    return Scores(np.concatenate(logits), np.concatenate(embeddings))
