"""A small model that remembers, and contributions of colours that it does not know."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.fakes.remembered import COLOURS, tiny_memory
from tests.fakes.tiny_bundle import CLASSES, SIDE, coloured, tiny_contents, tiny_numpy

from leafsight.bundle import MEMORY_SPLITS, Bundle, Memory, open_bundle, write_bundle
from leafsight.retraining import QuickOptions, Snapshot, freeze, quick_candidate
from leafsight.retraining.candidate import BuiltCandidate
from leafsight.state import ContributionRecord

YELLOW, PURPLE = (200, 200, 40), (190, 40, 190)
OKRA, BASIL = "Okra___Leaf_curl", "Basil___Downy_mildew"
QUICK = QuickOptions(resamples=100)
PER_SPLIT = 12


def seen(colour: Sequence[int], count: int, seed: int) -> np.ndarray:
    """What the tiny network sees in photographs of a colour, float32[count, d]."""
    squares = np.stack([coloured(colour, side=SIDE, seed=seed + at) for at in range(count)])
    return tiny_numpy(squares)[1].astype(np.float32)


def with_stressed(memory: Memory) -> Memory:
    """The same with a worse copy of every calibration photograph."""
    rows = memory.rows("calibration")
    worse = np.concatenate([seen(np.asarray(COLOURS[memory.label[at]]) * 0.6, 1, 90_000 + at) for at in rows])
    more: dict[str, Any] = {
        name: np.concatenate([getattr(memory, name), getattr(memory, name)[rows]])
        for name in ("label", "group", "domain", "contributed")
    }
    zeros = np.zeros(len(rows), np.uint64)
    return replace(
        memory,
        embedding=np.concatenate([memory.embedding, worse]),
        split=np.concatenate([memory.split, np.full(len(rows), MEMORY_SPLITS.index("stressed"))]),
        pixel_hash=np.concatenate([memory.pixel_hash, zeros]),
        look_hash=np.concatenate([memory.look_hash, zeros]),
        **more,
    )


def champion_at(path: Path, *, stressed: bool = True, **changes: Any) -> Bundle:
    """A champion with a memory."""
    memory = tiny_memory(PER_SPLIT)
    given = {"memory": with_stressed(memory) if stressed else memory, **changes}
    write_bundle(path, tiny_contents(**given))
    return open_bundle(path)


def contribution(number: int, label: str, **changes: Any) -> ContributionRecord:
    """An accepted contribution; its id is its number."""
    digest = hashlib.sha256(f"{label} {number}".encode()).hexdigest()
    values: dict[str, Any] = {
        "id": f"{number:032x}",
        "created_ms": number,
        "name": f"{number}.jpg",
        "class_name": label,
        "label": label,
        "photo_sha256": digest,
        "pixel_hash": digest,
        "look_hash": int(digest[:16], 16),
        "blob": f"contributions/{digest}",
        "group_id": f"{number:032x}",
        "state": "accepted",
    }
    return ContributionRecord(**{**values, **changes})


def contributions(label: str, count: int, first: int = 1) -> list[ContributionRecord]:
    """Several of one class, each a group of its own."""
    return [contribution(first + at, label) for at in range(count)]


def embedded(
    records: Iterable[ContributionRecord], colours: dict[str, Sequence[int]]
) -> dict[str, np.ndarray]:
    """Contribution id -> float16[d], by the colour of its class."""
    return {
        one.id: seen(colours[one.label], 1, 50_000 + int(one.id, 16))[0].astype(np.float16) for one in records
    }


TAUGHT: dict[str, Sequence[int]] = {OKRA: YELLOW, BASIL: PURPLE, CLASSES[0]: COLOURS[0]}


def teach(
    champion: Bundle, records: Sequence[ContributionRecord], out: Path, **changes: Any
) -> tuple[BuiltCandidate, Snapshot]:
    """A candidate that was taught these contributions."""
    snapshot = freeze(champion, records)
    given = {"options": QUICK, "job": "j1", **changes}
    return quick_candidate(champion, snapshot, embedded(records, TAUGHT), out, **given), snapshot
