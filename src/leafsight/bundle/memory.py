"""What a bundle remembers of the photographs that it was made from: features, never pictures.

Enters: one row a photograph. Leaves: the parts of a bundle, and the same rows from them. From these a new
head is learned without the photographs, a candidate is judged on the locked test, and drift is measured. It
does not know how an embedding is made, nor what a class means.

Embeddings are kept in 8 bits with a lowest value and a step for each row: what that does to a
model's answers stands in ``docs/bundle.md``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8, UInt64

from leafsight.bundle.arrays import from_exact_npy, from_npy, to_exact_npy, to_npy
from leafsight.errors import BundleCorruptError, BundleError
from leafsight.storage import canonical_json

MEMORY_SPLITS = ("train", "valid", "calibration", "test", "stressed", "probe")
"""``test`` is the locked test; ``stressed`` are calibration photographs made worse on purpose; ``probe`` are
contributions that were held out, to say what a candidate is worth on them."""
DESCRIPTION, CODES, STEPS, ROWS, HASHES = (
    "memory.json", "memory/codes.npy", "memory/steps.npy", "memory/rows.npy", "memory/hashes.npy",
)  # fmt: skip
MEMORY_PARTS = (DESCRIPTION, CODES, STEPS, ROWS, HASHES)
MAX_MEMORY_ROWS = 50_000
MAX_DOMAINS = 1000
VERSION = 1
LEVELS = 255
COLUMNS = ("label", "split", "group", "domain", "contributed")
HEX_DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True, eq=False)
class Memory:
    """One row a photograph.

    Attributes:
        backbone: 64 hex digits that name the function from photograph to embedding; models of which only the
            head differs share it.
        base_classes: so many classes of the bundle, from the first on, are of the original photographs; those
            behind them were added from contributions.
        domain_names: where photographs come from.
        embedding: what the network makes of each photograph.
        label: position in the classes of the bundle.
        split: position in ``MEMORY_SPLITS``.
        group: equal for photographs that belong together, such as those of one leaf.
        domain: position in ``domain_names``.
        contributed: whether it came with an upload; never true in the split ``test``.
        pixel_hash: the first 64 bits of the hash of the upright pixels; 0 when it is not known.
        look_hash: of the look of the whole picture; 0 when it is not known.
    """

    backbone: str
    base_classes: int
    domain_names: tuple[str, ...]
    embedding: Float32[np.ndarray, "n d"]
    label: Int64[np.ndarray, " n"]
    split: Int64[np.ndarray, " n"]
    group: Int64[np.ndarray, " n"]
    domain: Int64[np.ndarray, " n"]
    contributed: Bool[np.ndarray, " n"]
    pixel_hash: UInt64[np.ndarray, " n"]
    look_hash: UInt64[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.label)

    def rows(self, split: str) -> Int64[np.ndarray, " k"]:
        """Positions of the rows of one split, ascending."""
        return np.flatnonzero(self.split == MEMORY_SPLITS.index(split)).astype(np.int64)

    def to_parts(self) -> dict[str, bytes]:
        """The files of a bundle that hold it.

        Raises:
            BundleError: the rows do not fit together.
        """
        fault = _fault_of(self, None, None)
        if fault:
            raise BundleError(f"this cannot be remembered: {fault}")
        codes, steps = _coded(self.embedding)
        about = {
            "version": VERSION, "backbone": self.backbone, "base_classes": self.base_classes,
            "domain_names": list(self.domain_names), "splits": list(MEMORY_SPLITS),
        }  # fmt: skip
        rows = np.stack([np.asarray(getattr(self, name), np.uint32) for name in COLUMNS], axis=1)
        return {
            DESCRIPTION: (canonical_json(about, indent=1) + "\n").encode(),
            CODES: to_exact_npy(codes),
            STEPS: to_npy(steps),
            ROWS: to_exact_npy(rows),
            HASHES: to_exact_npy(np.stack([self.pixel_hash, self.look_hash], axis=1)),
        }


def read_memory(read: Callable[[str], bytes], n_classes: int, width: int) -> Memory:
    """The memory in the parts of a bundle.

    Args:
        read: gives a part by its name.
        n_classes: of the bundle.
        width: of its embedding.

    Raises:
        BundleCorruptError: a part is not as ``Memory.to_parts`` writes it, or they do not fit together.
    """
    about = _description(read(DESCRIPTION))
    codes, steps = from_exact_npy(read(CODES), CODES, "u1"), from_npy(read(STEPS), STEPS)
    rows, hashes = from_exact_npy(read(ROWS), ROWS, "u4"), from_exact_npy(read(HASHES), HASHES, "u8")
    n = len(codes) if codes.ndim else 0
    shapes = (codes.shape, steps.shape, rows.shape, hashes.shape)
    if shapes != ((n, width), (n, 2), (n, len(COLUMNS)), (n, 2)):
        raise BundleCorruptError(f"the memory's parts have the shapes {shapes}, wanted rows of width {width}")
    columns = {name: rows[:, at].astype(np.int64) for at, name in enumerate(COLUMNS)}
    memory = Memory(
        backbone=str(about["backbone"]),
        base_classes=int(about["base_classes"]),
        domain_names=tuple(str(name) for name in about["domain_names"]),
        embedding=_decoded(codes, steps),
        **{**columns, "contributed": columns["contributed"] > 0},
        pixel_hash=hashes[:, 0].copy(),
        look_hash=hashes[:, 1].copy(),
    )
    fault = _fault_of(memory, n_classes, width)
    if fault:
        raise BundleCorruptError(f"the memory of this bundle cannot be used: {fault}")
    return memory


def _coded(
    embedding: Float32[np.ndarray, "n d"],
) -> tuple[UInt8[np.ndarray, "n d"], Float32[np.ndarray, "n 2"]]:
    """Each row in 256 steps from its lowest to its highest value."""
    low = embedding.min(axis=1, keepdims=True)
    step = (embedding.max(axis=1, keepdims=True) - low) / np.float32(LEVELS)
    codes = np.rint((embedding - low) / np.where(step > 0, step, 1)).clip(0, LEVELS).astype(np.uint8)
    return codes, np.concatenate([low, step], axis=1).astype(np.float32)


def _decoded(codes: np.ndarray, steps: np.ndarray) -> Float32[np.ndarray, "n d"]:
    exact = np.asarray(steps, np.float32)
    return np.asarray(codes.astype(np.float32) * exact[:, 1:] + exact[:, :1], np.float32)


def _description(data: bytes) -> Mapping[str, Any]:
    try:
        about = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleCorruptError(f"{DESCRIPTION} is not valid JSON: {error}") from error
    names = about.get("domain_names") if isinstance(about, dict) else None
    whole = (
        isinstance(names, list)
        and about.get("version") == VERSION
        and about.get("splits") == list(MEMORY_SPLITS)
        and isinstance(about.get("base_classes"), int)
        and isinstance(about.get("backbone"), str)
        and all(isinstance(name, str) for name in names)
    )
    if not whole:
        raise BundleCorruptError(
            f"{DESCRIPTION} does not say what is remembered", hint="export the model again"
        )
    values: Mapping[str, Any] = about
    return values


def _fault_of(memory: Memory, n_classes: int | None, width: int | None) -> str:
    """What does not fit, in words; empty when all does."""
    n = len(memory.label)
    if not 0 < n <= MAX_MEMORY_ROWS:
        return f"{n} rows, wanted 1 to {MAX_MEMORY_ROWS}"
    columns = (*(getattr(memory, name) for name in COLUMNS), memory.pixel_hash, memory.look_hash)
    if any(column.shape != (n,) for column in columns) or memory.embedding.shape[:1] != (n,):
        return "its columns differ in length"
    if memory.embedding.ndim != 2 or (width is not None and memory.embedding.shape[1] != width):
        return f"embeddings of shape {memory.embedding.shape}"
    if not np.isfinite(memory.embedding).all():
        return "an embedding holds NaN or infinity"
    if len(memory.backbone) != 64 or not set(memory.backbone) <= HEX_DIGITS:
        return "its backbone is no hash"
    if not 1 <= len(memory.domain_names) <= MAX_DOMAINS:
        return f"{len(memory.domain_names)} domains, wanted 1 to {MAX_DOMAINS}"
    return _fault_of_values(memory, n_classes)


def _fault_of_values(memory: Memory, n_classes: int | None) -> str:
    ranges: Sequence[tuple[str, np.ndarray, int]] = (
        ("label", memory.label, n_classes or int(memory.label.max()) + 1),
        ("split", memory.split, len(MEMORY_SPLITS)),
        ("domain", memory.domain, len(memory.domain_names)),
        ("group", memory.group, 2**32),
    )
    for name, values, most in ranges:
        if values.min() < 0 or values.max() >= most:
            return f"a {name} outside 0..{most - 1}"
    if not 0 < memory.base_classes <= (n_classes or memory.base_classes):
        return f"{memory.base_classes} base classes"
    if memory.contributed[memory.rows("test")].any():
        return "a contribution in the locked test"
    return ""
