"""What background replacement draws from: leaf masks of plain photographs, and backgrounds.

Enters: the packed pixels and the rows that train. Leaves: masks by row and background pictures. Backgrounds
come from the rows that train only, so that nothing of a held-out photograph is ever seen. It does not
composite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from leafsight.errors import TrainingError
from leafsight.progress import Progress, Silent
from leafsight.training.background_foliage import draw_foliage
from leafsight.training.background_masks import BUSY, NOT_SEEN, PLAIN, MaskFile, packed_bytes
from leafsight.training.background_textures import draw_textures

# Gives whether the background is plain and where the leaf is, bool [S, S]; the mask of a busy one is ignored.
CutOut = Callable[[np.ndarray], tuple[bool, np.ndarray | None]]
Kind = Literal["field", "place", "texture", "foliage"]

LEAF_SHARES = (0.04, 0.92)  # outside of this a "leaf" is a speck or the whole frame, and the mask a mistake
TEXTURES = 160
FOLIAGE = 128
BLOCK_PHOTOS = 256
SAVED_BLOCKS = 8


@dataclass(frozen=True, slots=True, eq=False)
class BackgroundBank:
    """Masks and backgrounds of one packed cache.

    Attributes:
        images: uint8 ``[n, S, S, 3]``, the cache itself (memory-mapped), never copied whole.
        labels: int64 ``[n]``.
        masks: packed bits ``[n, ceil(S * S / 8)]``, one row each; zeros where there is none.
        is_plain: bool ``[n]``; true only where the mask can be used.
        sources: background pictures by kind, as rows of ``images`` or of ``drawn``.
        drawn: uint8 ``[m, S, S, 3]``, textures first, then foliage.
    """

    images: UInt8[np.ndarray, "n side side 3"]
    labels: Int64[np.ndarray, " n"]
    masks: UInt8[np.ndarray, "n packed"]
    is_plain: Bool[np.ndarray, " n"]
    sources: dict[Kind, Int64[np.ndarray, " _"]]
    drawn: UInt8[np.ndarray, "m side side 3"]

    @property
    def side_px(self) -> int:
        """Side of the cached pictures."""
        return int(self.images.shape[1])

    def leaf_masks(self, rows: Int64[np.ndarray, " k"]) -> UInt8[np.ndarray, "k side side"]:
        """Masks of some rows, 1 on the leaf."""
        side = self.side_px
        return np.unpackbits(self.masks[rows], axis=1, count=side * side).reshape(-1, side, side)

    def pictures(self, kind: Kind, chosen: Int64[np.ndarray, " k"]) -> UInt8[np.ndarray, "k side side 3"]:
        """Background pictures of one kind; ``chosen`` counts modulo how many there are."""
        rows = self.sources[kind][chosen % len(self.sources[kind])]
        return np.asarray((self.images if kind in ("field", "place") else self.drawn)[rows])

    def field_labels(self, chosen: Int64[np.ndarray, " k"]) -> Int64[np.ndarray, " k"]:
        """Classes of the field photographs that ``pictures`` gives for ``chosen``."""
        return np.asarray(self.labels[self.sources["field"][chosen % len(self.sources["field"])]])


def build_bank(
    images: UInt8[np.ndarray, "n side side 3"],
    labels: Int64[np.ndarray, " _"],
    rows: Int64[np.ndarray, " k"],
    *,
    folder: Path | None,
    fingerprint: str,
    not_a_leaf: Sequence[int] = (),
    cut_out: CutOut | None = None,
    workers: int = 2,
    seed: int = 0,
    progress: Progress | None = None,
) -> BackgroundBank:
    """Cut out every training photograph on a plain background, once, and gather backgrounds.

    Args:
        images: the packed cache.
        labels: class of every row of it.
        rows: the rows that train; no other row is looked at.
        folder: where masks are kept, beside the cache; ``None`` keeps them in memory only.
        fingerprint: of the cache's contents; other contents never meet old masks.
        not_a_leaf: classes whose photographs show places, not leaves.
        cut_out: what separates leaf and background; ``leafsight.images`` has the default.
        workers: threads; NumPy and Pillow work outside the interpreter's lock for most of it.
        seed: of the drawn textures.
        progress: told of every photograph.

    Returns:
        The bank.

    Raises:
        TrainingError: labels or rows do not fit the images, or ``cut_out`` gives a mask of another shape.
        StorageError: the masks cannot be written.
    """
    if labels.shape != (len(images),) or (len(rows) and not 0 <= rows.min() <= rows.max() < len(images)):
        raise TrainingError(f"labels {labels.shape} and rows do not fit {len(images)} cached photographs")
    kept = None if folder is None else MaskFile(folder, fingerprint, images.shape)
    found = np.zeros((len(images), packed_bytes(images.shape)), np.uint8) if kept is None else kept.read()
    _cut_missing(found, images, rows, cut_out or plain_cut_out, workers, kept, progress or Silent())
    is_plain, masks = found[:, 0] == PLAIN, found[:, 1:]
    is_place = np.isin(labels, np.asarray(not_a_leaf, np.int64))
    is_plain &= ~is_place
    drawn = draw_textures(TEXTURES, images.shape[1], seed)
    sources: dict[Kind, np.ndarray] = {
        "field": rows[~is_plain[rows] & ~is_place[rows]],
        "place": rows[is_place[rows]],
        "texture": np.arange(TEXTURES),
    }
    bank = BackgroundBank(images, labels, masks, is_plain, sources, drawn)
    return _with_foliage(bank, rows, seed)


def plain_cut_out(photo: UInt8[np.ndarray, "height width 3"]) -> tuple[bool, np.ndarray | None]:
    """The cut-out of ``leafsight.images`` in the shape that a bank wants."""
    from leafsight.images import plain_background

    found = plain_background(photo)
    return found.is_plain, found.leaf


def _with_foliage(bank: BackgroundBank, rows: np.ndarray, seed: int) -> BackgroundBank:
    plain = rows[bank.is_plain[rows]]
    if not len(plain):
        return bank
    foliage = draw_foliage(bank, plain, FOLIAGE, seed)
    sources = {**bank.sources, "foliage": np.arange(len(bank.drawn), len(bank.drawn) + len(foliage))}
    drawn = np.concatenate([bank.drawn, foliage])
    return BackgroundBank(bank.images, bank.labels, bank.masks, bank.is_plain, sources, drawn)


def _cut_missing(
    found: np.ndarray,
    images: np.ndarray,
    rows: np.ndarray,
    cut_out: CutOut,
    workers: int,
    kept: MaskFile | None,
    progress: Progress,
) -> None:
    """Fill in, and keep, the rows that nobody has looked at yet."""
    missing = rows[found[rows, 0] == NOT_SEEN]
    if not len(missing):
        return

    def cut_one(row: int) -> np.ndarray:
        return _packed_cut(np.asarray(images[row]), cut_out)

    progress.start("cutting out leaves", len(missing))
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        # In blocks, so that an interruption waits for one block and costs at most a few.
        for start in range(0, len(missing), BLOCK_PHOTOS):
            block = missing[start : start + BLOCK_PHOTOS]
            for row, packed in zip(block.tolist(), pool.map(cut_one, block.tolist()), strict=True):
                found[row] = packed
                progress.advance()
            if kept is not None and (start // BLOCK_PHOTOS) % SAVED_BLOCKS == SAVED_BLOCKS - 1:
                kept.write(found)
    if kept is not None:
        kept.write(found)
    progress.finish(f"{int((found[rows, 0] == PLAIN).sum())} of {len(rows)} on plain background")


def _packed_cut(photo: np.ndarray, cut_out: CutOut) -> np.ndarray:
    is_plain, mask = cut_out(photo)
    packed = np.zeros(packed_bytes((1, *photo.shape)), np.uint8)
    packed[0] = BUSY
    if not is_plain or mask is None:
        return packed
    if mask.shape != photo.shape[:2]:
        raise TrainingError(f"the cut-out gave a mask of {mask.shape} for a photograph of {photo.shape}")
    share = float(np.count_nonzero(mask)) / mask.size
    if LEAF_SHARES[0] <= share <= LEAF_SHARES[1]:
        packed[0], packed[1:] = PLAIN, np.packbits(np.asarray(mask, bool).reshape(-1))
    return packed
