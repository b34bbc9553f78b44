"""A memory for a bundle that was exported without one.

Enters: the bundle, and the index with the splits that it was made with. Leaves: it again, with a memory.
The graph, the calibration and all numbers stay as they are.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from leafsight.bundle import Bundle, BundleContents
from leafsight.dataset import PhotoIndex, PixelCache
from leafsight.errors import ExportError
from leafsight.evaluation import Scores, collect_scores
from leafsight.export.remembering import Remembering, spread_over_classes, worse_copies
from leafsight.export.stress import stressed_copies
from leafsight.images import DecodeLimits, Preprocessing
from leafsight.inference import OnnxNetwork
from leafsight.progress import Progress, Silent

STRESS_COPIES = 2


def with_memory(
    bundle: Bundle,
    index: PhotoIndex,
    *,
    cache_folder: Path,
    memory_photos: int = 3000,
    stress_rounds: int = 1,
    limits: DecodeLimits | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> BundleContents:
    """The contents of a bundle, and with them what it remembers.

    Args:
        bundle: whose classes the index has.
        index: with the splits that the model was made with: the locked test has to stay the locked test.
        cache_folder: prepared photographs are kept here.
        memory_photos: training photographs to remember.
        stress_rounds: as the model was exported with.
        limits: of the decoder.
        workers: threads.
        progress: told of every step.

    Raises:
        ExportError: the index is split otherwise than the bundle says it was made with.
    """
    progress = progress or Silent()
    made_with = bundle.provenance.get("split_fingerprint")
    if made_with != index.split_fingerprint():
        raise ExportError(
            "this is not the split that the model was made with",
            hint="give the index.parquet of its run: the locked test must stay unseen",
        )
    contract = Preprocessing.from_dict(bundle.preprocessing)
    cache = PixelCache.build(index, cache_folder, contract, limits=limits, workers=workers, progress=progress)
    labels = index.rows(cache.row_ids).labels_for(bundle.classes)
    graph = bundle.network()
    predict = OnnxNetwork(graph, bundle.network_spec, threads=workers)
    held = Remembering(graph, index.rows(cache.row_ids), labels, len(bundle.classes))

    def ask(rows: np.ndarray) -> Scores:
        return collect_scores(predict, cache.images, progress=progress, rows=rows)

    rows = {split: cache.positions(index.row_ids(split=split)) for split in ("train", "calibration", "test")}
    for split in ("calibration", "test"):
        held.add(split, rows[split], ask(rows[split]))
    home = rows["calibration"]
    copies = stressed_copies(
        np.ascontiguousarray(cache.images[home]),
        labels[home],
        not_a_leaf=tuple(at for at, label in enumerate(bundle.labels) if not label.is_leaf),
        copies=STRESS_COPIES,
        side_px=contract.side_px,
        rounds=stress_rounds,
    )
    stressed = collect_scores(predict, copies, progress=progress)
    held.add("stressed", *worse_copies(stressed, home, STRESS_COPIES, memory_photos))
    sample = spread_over_classes(rows["train"], labels, memory_photos)
    held.add("train", sample, ask(sample))
    return replace(bundle.contents(), memory=held.memory())
