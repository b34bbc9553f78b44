"""What all contenders share: one split, one list of photographs, one network to begin from.

Enters: a recipe, a folder of photographs, ImageNet weights. Leaves: files in the work folder. The network is
leafsight's own before its first step, with batch statistics measured on the training photographs, so that
nobody begins with statistics of other pictures.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from leafsight.dataset import PhotoIndex
from leafsight.experiments.comparing_photographs import names_of
from leafsight.progress import Silent
from leafsight.storage import file_sha256, replacing, write_text
from leafsight.training import PreparedData, Recipe, prepare_data
from leafsight.training.batches import Pictures
from leafsight.training.interruption import StopRequest
from leafsight.training.machine import prepared_machine
from leafsight.training.run_folder import open_run_folder
from leafsight.training.session import open_session

SPLITS = ("train", "valid", "test")
PROBES = 32


@dataclass(frozen=True)
class Common:
    """Files that every contender reads.

    Attributes:
        prepared: index with splits, packed pixels.
        photographs: JSON, see ``side_by_side_work.Job``.
        test: rows of the test photographs that can be read.
    """

    prepared: PreparedData
    photographs: Path
    test: PhotoIndex

    def counts(self) -> dict[str, int]:
        """Photographs of each split."""
        found = json.loads(self.photographs.read_text(encoding="utf-8"))
        return {split: len(found[split]) for split in SPLITS}


def shared(recipe: Recipe, data: Path, folder: Path) -> Common:
    """Index, split and list; whatever lies in ``folder`` already is used."""
    prepared = prepare_data(recipe, [data], folder / "shared")
    kept = prepared.index.rows(prepared.cache.row_ids)
    listing: dict[str, Any] = {"classes": list(prepared.data.classes)}
    parts = {split: kept.rows(prepared.data.rows[split]) for split in SPLITS}
    for split, part in parts.items():
        labels = part.labels_for(prepared.data.classes).tolist()
        listing[split] = list(zip(map(str, part.files()), labels, names_of(part), strict=True))
    path = folder / "photographs.json"
    write_text(path, json.dumps(listing))
    return Common(prepared, path, parts["test"])


def start_key(recipe: Recipe, common: Common, weights: Path) -> str:
    """The same for the same recipe, photographs and weights."""
    said = f"{recipe.fingerprint()} {common.prepared.data.fingerprint} {file_sha256(weights)}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def write_start(recipe: Recipe, prepared: PreparedData, weights: Path, threads: int, path: Path) -> None:
    """The backbone before its first step and what it says of some training photographs.

    Args:
        recipe: with the seed of the run.
        prepared: the photographs.
        weights: ImageNet weights.
        threads: of torch.
        path: ``.npz`` that is written.
    """
    with (
        tempfile.TemporaryDirectory(prefix="leafsight-side-by-side-") as scratch,
        prepared_machine("cpu", threads, recipe.precision) as (device, machine),
    ):
        folder = open_run_folder(Path(scratch) / "run", recipe, prepared.data, resume=False, force=True)
        session = open_session(
            folder, recipe, prepared.data, device=device, machine=machine, pretrained=weights,
            progress=Silent(), stop=StopRequest(), listeners=(),
        )  # fmt: skip
        session.events.close()
        network = session.setting.network.eval()
        pixels = Pictures(prepared.data, recipe, device).plain(prepared.data.train_rows[:PROBES])
        pixels = pixels.round()
        with torch.inference_mode():
            embedding = network.embed(pixels)
        tensors = {
            name: tensor.contiguous().numpy()
            for name, tensor in network.state_dict().items()
            if name.startswith("features.") and not name.endswith("num_batches_tracked")
        }
        with replacing(path) as file:
            np.savez(
                file,
                pixels=pixels.permute(0, 2, 3, 1).to(torch.uint8).contiguous().numpy(),
                embedding=embedding.contiguous().numpy(),
                **tensors,
            )
