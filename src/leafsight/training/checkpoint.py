"""A training state in one file: safetensors, with the plain values as JSON in its header.

Enters: named tensors and plain values. Leaves: a file that is whole or not there, so that a kill at any
moment finds the state before or after, never between. Nothing is unpickled.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from leafsight.errors import TrainingError
from leafsight.storage import canonical_json, os_errors_translated, write_bytes
from leafsight.training.team import Team

STATE = "state"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``tensors`` by name (parts are prefixes such as ``network.``) and JSON-able ``state``."""

    tensors: dict[str, Tensor]
    state: dict[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with ``prefix.``, without it."""
        start = f"{prefix}."
        return {
            name.removeprefix(start): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(start)
        }


def write_checkpoint(path: Path, parts: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any]) -> None:
    """Put the state at ``path`` in one atomic step.

    Args:
        path: the file to replace.
        parts: tensors by part and name; every tensor is copied to contiguous CPU memory.
        state: plain values; NaN is refused with ``ValueError``.

    Raises:
        StorageError: the disk is full or refuses; what was at ``path`` is untouched.
    """
    flat = {
        f"{part}.{name}": tensor.detach().cpu().contiguous()
        for part, tensors in parts.items()
        for name, tensor in tensors.items()
    }
    write_bytes(path, save(flat, metadata={STATE: canonical_json(dict(state))}))


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a state back, tensors on the CPU.

    Raises:
        StorageError: missing or unreadable.
        TrainingError: not a whole checkpoint of ours.
    """
    with os_errors_translated(path):
        path.stat()
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = json.loads(metadata[STATE])
            return Checkpoint({name: file.get_tensor(name) for name in file.keys()}, state)  # noqa: SIM118
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise TrainingError(
            f"{path} is damaged or not a training state: {error}",
            hint="start anew with --force, or put back a copy of the file",
        ) from error


def shared_checkpoint(path: Path, team: Team) -> Checkpoint | None:
    """What the leader of a team finds at ``path``, in every process of it; ``None`` if there is nothing.

    The others take it from the leader: on storage that several machines share, a file of a moment ago may not
    be seen by all.

    Raises:
        StorageError: unreadable.
        TrainingError: not a whole checkpoint of ours.
    """
    if team.is_alone:
        return read_checkpoint(path) if path.exists() else None
    found = path.exists() if team.leads else False
    with os_errors_translated(path):
        data = team.told(path.read_bytes() if found else b"")
    if not data:
        return None
    if team.leads:
        return read_checkpoint(path)
    with tempfile.TemporaryDirectory(prefix="leafsight-") as folder:
        copy = Path(folder) / path.name
        write_bytes(copy, data)
        return read_checkpoint(copy)
