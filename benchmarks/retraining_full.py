"""What the quick and the full path gain on new classes and lose on old ones, and how long they take.

    python -m benchmarks.retraining_full data/field-bean data/field-rice --work DIR [--seeds 3] [--side 112]

A model is trained from the first collection (recipe ``quick``, from the backbone of the built-in model) and
serves. The photographs of the second are contributions, all accepted; with each seed other ones of them are
held out (the role ``probe``). Then the program of the trainer runs once by each path, from order to published
candidate, without promotion, and a network is trained from scratch on everything: the same recipe on the same
photographs, new head, from the same backbone. Figures: accuracy on the held-out new photographs and on the
locked test of the old ones, over all classes, asked of the exported graphs; seconds of the whole program by
the clock and by processors (which others at work on the machine do not lengthen).
Everything is kept in DIR, so that a second call goes on.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from leafsight.bundle import Bundle, builtin_bundle_path, open_bundle
from leafsight.dataset import PhotoIndex, index_photos
from leafsight.export import ExportOptions, PackagingOptions, package_run
from leafsight.images import Preprocessing, prepare_bytes
from leafsight.inference import OnnxNetwork
from leafsight.registry import SERVING, open_registry
from leafsight.retraining.originals import INDEX
from leafsight.state import ContributionRecord, JobRecord, State, new_id, open_blobs, open_state
from leafsight.training import Recipe, load_recipe, prepare_data, train

EXPORT = PackagingOptions(export=ExportOptions(precision="fp32", include_weights=True))
PROGRAM = "leafsight.retraining.program"


def main() -> None:
    """Print one line of JSON for each path and seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--side", type=int, default=112)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    recipe = load_recipe("quick", [f"preprocessing.side_px={given.side}", f"threads={given.threads}"])
    base = given.work / "base"
    model = trained(recipe, [given.old], base)
    registry = open_registry(given.work / "registry")
    registry.promote(registry.add(model).hash, SERVING)
    with open_state(f"sqlite:///{given.work / 'leafsight.db'}") as state:
        contribute(state, given.work, given.new)
        for seed in range(given.seeds):
            for path in ("quick", "full"):
                spent = Spent()
                result = retrained(state, given.work, path, seed, given.threads, base)
                candidate = registry.bundle(registry.get(result["candidate"]))
                tell(path, seed, spent.told(), candidate, given.work, result)
            spent = Spent()
            everything = given.work / "learning" / result["job"] / "data" / "all.parquet"
            scratch = trained(
                recipe.model_copy(update={"seed": seed}), [everything], given.work / f"scratch-{seed}"
            )
            tell("scratch", seed, spent.told(), open_bundle(scratch), given.work, result)


class Spent:
    """Seconds since it was made: of the clock, and of processors by this process and its children."""

    def __init__(self) -> None:
        self._clock_s, self._processor_s = time.monotonic(), _processor_s()

    def told(self) -> dict[str, float]:
        """Both, to a tenth."""
        return {
            "seconds": round(time.monotonic() - self._clock_s, 1),
            "processor_s": round(_processor_s() - self._processor_s, 1),
        }


def _processor_s() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def trained(recipe: Recipe, sources: list[Path], folder: Path) -> Path:
    """A model of these photographs; the one that is there."""
    path = folder / "model.leafsight"
    if not path.exists():
        prepared = prepare_data(recipe, sources, folder / "data")
        run = train(recipe, prepared.data, folder / "run", device="cpu", pretrained=builtin_bundle_path())
        prepared.index.save(folder / INDEX)
        package_run(run, prepared.index, path, cache_folder=folder / "exam", options=EXPORT)
    return path


def contribute(state: State, work: Path, folder: Path) -> None:
    """Every photograph of a collection, accepted."""
    if state.contributions.counts()["states"]:
        return
    blobs, index = open_blobs(str(work / "blobs")), index_photos(folder).usable()
    columns = map(index.column, ("class_name", "path", "content_hash", "pixel_hash", "look_hash"))
    first: dict[str, str] = {}
    records = []
    for file, (label, name, content, pixel, look) in zip(
        index.files(), zip(*columns, strict=True), strict=True
    ):
        blob = f"contributions/{content}"
        blobs.put(blob, file.read_bytes())
        one = new_id()
        records.append(
            ContributionRecord(
                id=one, created_ms=state.now(), name=name, class_name=label, label=label, blob=blob,
                photo_sha256=content, pixel_hash=pixel, look_hash=look, group_id=first.setdefault(pixel, one),
            )
        )  # fmt: skip
    state.contributions.add_many(records)
    state.contributions.decide([one.id for one in records], "accepted", by="benchmark")


def retrained(state: State, work: Path, path: str, seed: int, threads: int, base: Path) -> dict[str, Any]:
    """The result of the program."""
    now_ms = state.now()
    job = JobRecord(
        id=new_id(), kind="retraining", state="running", created_ms=now_ms, updated_ms=now_ms, request={}
    )
    state.jobs.add(job)
    order = {
        "job": job.id, "path": path, "seed": seed, "threads": threads, "promote": "ask",
        "database_url": f"sqlite:///{work / 'leafsight.db'}", "blob_url": str(work / "blobs"),
        "registry_dir": str(work / "registry"), "work_dir": str(work / "learning"),
        "training_data": str(base / INDEX), "device": "cpu",
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", PROGRAM],
        stdin=os.pipe()[0],
        stdout=subprocess.PIPE,
        env={**os.environ, "LEAFSIGHT_RETRAINING": json.dumps(order)},
        check=True,
    )
    return {**json.loads(ended.stdout), "job": job.id}


def tell(
    path: str,
    seed: int,
    spent: Mapping[str, float],
    candidate: Bundle,
    work: Path,
    result: Mapping[str, Any],
) -> None:
    """Ask the graph, and print."""
    blobs = open_blobs(str(work / "blobs"))
    snapshot = json.loads(blobs.get(f"retrainings/{result['job']}/snapshot.json"))
    probe = [(row["label"], blobs.get(row["blob"])) for row in snapshot["rows"] if row["role"] == "probe"]
    index = PhotoIndex.load(work / "base" / INDEX).where(split="test")
    locked = [
        (label, file.read_bytes())
        for label, file in zip(index.column("class_name"), index.files(), strict=True)
    ]
    line = {
        "path": path,
        "seed": seed,
        **spent,
        "new": accuracy(candidate, probe),
        "old": accuracy(candidate, locked),
        "old_before": accuracy(open_bundle(work / "base" / "model.leafsight"), locked),
        "probes": len(probe),
        "locked": len(locked),
        "gate": result["gate"]["said"] if path != "scratch" else None,
        "passed": result["gate"]["passed"] if path != "scratch" else None,
    }
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def accuracy(bundle: Bundle, photographs: list[tuple[str, bytes]]) -> float:
    """The share of photographs whose first guess over all classes is right."""
    network = OnnxNetwork(bundle.network(), bundle.network_spec)
    contract = Preprocessing.from_dict(dict(bundle.preprocessing))
    right = 0
    for label, data in photographs:
        logits = network.run(prepare_bytes(data, contract)[None]).logits
        right += bundle.classes[int(np.argmax(logits))] == label
    return round(right / len(photographs), 4)


if __name__ == "__main__":
    main()
