"""What a candidate remembers: the original photographs as its parent has them, and the contributions.

Enters: the memory of the parent, a snapshot, embeddings of its photographs. Leaves: the memory of the
candidate.
Contributions that the parent remembers are dropped first: all that are accepted now come from the snapshot,
so a photograph that was rejected since is forgotten. It does not know what is learned from the rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from leafsight.bundle import MAX_MEMORY_ROWS, MEMORY_SPLITS, Memory
from leafsight.errors import TrainingError
from leafsight.retraining.roles import TRAIN
from leafsight.retraining.snapshot import Snapshot, SnapshotRow, short_hash

CONTRIBUTED = "contributed"
"""The domain of contributions."""
WIDEST_GROUP = 2**32 - 1
LOOK_BITS = (1 << 64) - 1


def remember(memory: Memory, snapshot: Snapshot, embeddings: Mapping[str, np.ndarray]) -> Memory:
    """The memory for a candidate of this snapshot; labels are positions in the classes of the snapshot.

    Args:
        memory: of the parent.
        snapshot: what is learned from.
        embeddings: contribution id -> float[d], made by the backbone of ``memory``.

    Raises:
        TrainingError: an embedding is missing or of another width, or there are more rows than a bundle
            holds.
    """
    kept = np.flatnonzero(~memory.contributed)
    if len(kept) + len(snapshot.rows) > MAX_MEMORY_ROWS:
        raise TrainingError(
            f"{len(snapshot.rows)} contributions and {len(kept)} remembered photographs are more than"
            f" the {MAX_MEMORY_ROWS} that a model can remember",
            hint="use the full path",
        )
    added = embeddings_of(snapshot.rows, embeddings, memory.embedding.shape[1])
    columns = _columns(snapshot, int(memory.group[kept].max(initial=-1)) + 1)
    names = tuple(name for name in memory.domain_names if name != CONTRIBUTED)
    domain = np.asarray(
        [names.index(memory.domain_names[at]) for at in memory.domain[kept]], np.int64
    )  # of the original photographs none is contributed
    return Memory(
        backbone=memory.backbone,
        base_classes=memory.base_classes,
        domain_names=(*names, CONTRIBUTED),
        embedding=np.concatenate([memory.embedding[kept], added]),
        label=np.concatenate([memory.label[kept], columns["label"]]),
        split=np.concatenate([memory.split[kept], columns["split"]]),
        group=np.concatenate([memory.group[kept], columns["group"]]),
        domain=np.concatenate([domain, np.full(len(added), len(names), np.int64)]),
        contributed=np.concatenate([np.zeros(len(kept), bool), np.ones(len(added), bool)]),
        pixel_hash=np.concatenate([memory.pixel_hash[kept], columns["pixel_hash"].astype(np.uint64)]),
        look_hash=np.concatenate([memory.look_hash[kept], columns["look_hash"].astype(np.uint64)]),
    )


def embeddings_of(
    rows: tuple[SnapshotRow, ...], embeddings: Mapping[str, np.ndarray], width: int
) -> np.ndarray:
    """float32[n, width], in the order of the rows.

    Raises:
        TrainingError: one is missing, of another width, or not finite.
    """
    missing = [row.id for row in rows if row.id not in embeddings]
    if missing:
        raise TrainingError(
            f"{len(missing)} of {len(rows)} contributions have no embedding, first {missing[0]}",
            hint="embed them with the network of the model that is learned on from",
        )
    wrong = [row.id for row in rows if embeddings[row.id].shape != (width,)]
    if wrong:
        raise TrainingError(
            f"the embedding of contribution {wrong[0]} has the shape {embeddings[wrong[0]].shape},"
            f" wanted {(width,)}",
            hint="it was made by another network; embed it again",
        )
    found = np.empty((len(rows), width), np.float32)
    for at, row in enumerate(rows):
        found[at] = embeddings[row.id]
    broken = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if broken.size:
        raise TrainingError(
            f"the embedding of contribution {rows[broken[0]].id} holds NaN or infinity", hint="embed it again"
        )
    return found


def _columns(snapshot: Snapshot, first_group: int) -> dict[str, np.ndarray]:
    split_of = {role: MEMORY_SPLITS.index(role) for role in {row.role for row in snapshot.rows}}
    number = {
        group: first_group + at for at, group in enumerate(dict.fromkeys(r.group for r in snapshot.rows))
    }
    if number and max(number.values()) > WIDEST_GROUP:
        raise TrainingError("the memory has no numbers left for groups", hint="use the full path")
    label_of = {name: at for at, name in enumerate(snapshot.classes)}
    return {
        "label": np.asarray([label_of[row.label] for row in snapshot.rows], np.int64),
        "split": np.asarray([split_of[row.role] for row in snapshot.rows], np.int64),
        "group": np.asarray([number[row.group] for row in snapshot.rows], np.int64),
        "pixel_hash": np.asarray([short_hash(row.pixel_hash) for row in snapshot.rows], np.uint64),
        "look_hash": np.asarray([(row.look_hash or 0) & LOOK_BITS for row in snapshot.rows], np.uint64),
    }


def require_something_to_learn(snapshot: Snapshot) -> None:
    """Raise ``TrainingError`` when no photograph of the snapshot has the role to be learned from."""
    if not snapshot.of_role(TRAIN):
        raise TrainingError(
            f"none of the {len(snapshot.rows)} accepted photographs is there to learn from: chance made"
            " all of them photographs to measure or to calibrate on",
            hint="accept more",
        )
