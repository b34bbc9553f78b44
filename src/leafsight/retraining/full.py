"""The full path: the whole network is trained on, with the original photographs and those that people gave.

Enters: the model that serves, a snapshot, the photographs of both. Leaves: a bundle with a memory, as of a
new model. Training goes on from its own checkpoints when it was killed. It does not know how the candidate
is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from leafsight.bundle import Bundle, Memory, open_bundle, write_bundle
from leafsight.errors import ConflictError
from leafsight.images import Preprocessing, prepare_bytes
from leafsight.inference import OnnxNetwork
from leafsight.retraining.candidate import SAME_PHOTOGRAPHS
from leafsight.retraining.epochs import listener
from leafsight.retraining.materials import SOURCE, with_contributions
from leafsight.retraining.originals import parent_recipe, require_originals, trained_ancestor
from leafsight.retraining.remembering import remember
from leafsight.retraining.snapshot import PROVENANCE

if TYPE_CHECKING:
    from leafsight.dataset import PhotoIndex
    from leafsight.export import PackagingOptions
    from leafsight.retraining.snapshot import Snapshot
    from leafsight.retraining.workplace import Workplace
    from leafsight.training import Recipe, TrainedRun

OWN_TABLES = ("model", "preprocessing", "data", "augmentation", "backgrounds", "balance", "loss")
"""Of the recipe that the model was made by: what is learned from a photograph stays the same."""
STRESS_ROUNDS = 2
BATCH = 16


def full_candidate(place: Workplace, parent: Bundle, snapshot: Snapshot) -> str:
    """Train on, export, prove, calibrate, judge and write.

    Args:
        place: photographs, folder, threads, who is told.
        parent: the model that serves.
        snapshot: what was accepted.

    Returns:
        The hash of the candidate.

    Raises:
        ConflictError, NotFoundError: see ``require_originals``.
        TrainingError, ExportError: see ``train`` and ``package_run``.
        DiskFullError, StorageError: the folder cannot be written.
    """
    from leafsight.export import package_run

    index = with_contributions(place, require_originals(place, parent), snapshot)
    recipe = full_recipe(place, parent)
    run = _trained(place, parent, snapshot, index, recipe)
    raw = place.folder.path / "trained.leafsight"
    package_run(
        run,
        index,
        raw,
        cache_folder=place.folder.data / "serving",
        options=packaging(place, parent),
        limits=place.limits,
        workers=place.order.threads,
        progress=place.telling,
    )
    made = open_bundle(raw)
    contents = replace(
        made.contents(),
        memory=_memory(place, made, snapshot),
        provenance=_provenance(place, parent, made, snapshot),
    )
    return write_bundle(place.folder.candidate, contents).content_hash


def full_recipe(place: Workplace, parent: Bundle) -> Recipe:
    """The stages of the recipe for going on, and everything else as the model was made.

    Raises:
        ConflictError: the model carries no recipe that can be followed.
        ConfigError, UsageError: the recipe for going on cannot be used.
    """
    from leafsight.training import load_recipe

    made_by = parent_recipe(place, parent)
    kept = {name: getattr(made_by, name) for name in OWN_TABLES}
    return load_recipe(place.order.recipe).model_copy(
        update={**kept, "threads": place.order.threads, "seed": place.order.seed}
    )


def packaging(place: Workplace, parent: Bundle) -> PackagingOptions:
    """As the model was exported: its name, side, mirror, precision; and with weights, to go on from again."""
    from leafsight.export import ExportOptions, PackagingOptions

    told = trained_ancestor(place, parent).provenance.get("export", {})
    precision = told.get("precision") or {}
    return PackagingOptions(
        name=parent.name,
        side_px=Preprocessing.from_dict(dict(parent.preprocessing)).side_px,
        export=ExportOptions(
            precision="fp32" if precision.get("precision", "fp32") == "fp32" else "auto",
            mirrored=bool(told.get("mirrored", False)),
            include_weights=True,
        ),
        stress_rounds=STRESS_ROUNDS,
        card_notes=f"Goes on from the model {parent.content_hash[:12]} with photographs that people gave.",
    )


def _trained(
    place: Workplace, parent: Bundle, snapshot: Snapshot, index: PhotoIndex, recipe: Recipe
) -> TrainedRun:
    from leafsight.training import prepare_data, train

    saved = place.folder.data / "all.parquet"
    index.save(saved)
    prepared = prepare_data(
        recipe,
        [saved],
        place.folder.data,
        limits=place.limits,
        workers=place.order.threads,
        progress=place.telling,
    )
    labels = index.rows(prepared.cache.row_ids).labels_for(snapshot.classes)
    data = replace(prepared.data, labels=labels, classes=snapshot.classes)
    return train(
        recipe,
        data,
        place.folder.run,
        device=place.order.device,
        pretrained=parent.path,
        progress=place.telling,
        on_event=[listener(place.telling, recipe, len(data.train_rows))],
    )


def _memory(place: Workplace, made: Bundle, snapshot: Snapshot) -> Memory:
    """As of a quick candidate: original photographs, and every contribution in its role."""
    memory = made.memory()
    if memory is None:
        raise ConflictError(
            "there are more photographs than a model can remember", hint="take the quick path"
        )
    originals = np.asarray([name != SOURCE for name in memory.domain_names], bool)[memory.domain]
    return remember(
        replace(_taken(memory, np.flatnonzero(originals)), base_classes=snapshot.base_classes),
        snapshot,
        _seen(place, made, snapshot),
    )


def _taken(memory: Memory, rows: np.ndarray) -> Memory:
    """Some rows of a memory, without the domain of contributions."""
    names = tuple(name for name in memory.domain_names if name != SOURCE)
    number = np.asarray([names.index(name) if name in names else -1 for name in memory.domain_names])
    return replace(
        memory,
        domain_names=names,
        domain=number[memory.domain[rows]].astype(np.int64),
        **{
            name: getattr(memory, name)[rows]
            for name in ("embedding", "label", "split", "group", "contributed", "pixel_hash", "look_hash")
        },
    )


def _seen(place: Workplace, made: Bundle, snapshot: Snapshot) -> dict[str, np.ndarray]:
    """Contribution -> what the new network sees in it."""
    network = OnnxNetwork(made.network(), made.network_spec, threads=place.order.threads)
    contract = Preprocessing.from_dict(dict(made.preprocessing))
    found: dict[str, np.ndarray] = {}
    place.telling.start("looking at contributions", len(snapshot.rows))
    for start in range(0, len(snapshot.rows), BATCH):
        rows = snapshot.rows[start : start + BATCH]
        files = [next(iter(place.folder.photographs.glob(f"{row.id}.*"))) for row in rows]
        squares = [prepare_bytes(file.read_bytes(), contract, place.limits) for file in files]
        features = network.run(np.stack(squares)).embedding
        found |= {row.id: one for row, one in zip(rows, features, strict=True)}
        place.telling.advance(len(rows))
    place.telling.finish()
    return found


def _provenance(place: Workplace, parent: Bundle, made: Bundle, snapshot: Snapshot) -> Mapping[str, Any]:
    """Of the new run; the original photographs and their split stay those of the parent."""
    before, now = parent.provenance, made.provenance
    round_ = {
        "parent": parent.content_hash,
        "snapshot": snapshot.hash,
        "path": "full",
        "job": place.order.job,
    }
    return {
        **now,
        **{name: before[name] for name in SAME_PHOTOGRAPHS if name in before},
        "trained_on": {name: now[name] for name in SAME_PHOTOGRAPHS if name in now},
        PROVENANCE: {
            **round_,
            "classes_added": list(snapshot.classes_added),
            "classes_removed": list(snapshot.classes_removed),
            "contributions": snapshot.counts,
            "left_out": len(snapshot.left_out),
            "roles_against_chance": snapshot.roles_against_chance,
        },
        "lineage": [*before.get("lineage", []), round_],
    }
