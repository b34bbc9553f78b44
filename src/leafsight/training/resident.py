"""The packed photographs on the device that trains, when they fit: then nothing travels to it in an epoch.

Enters: the packed pixels. Leaves: the same bytes as a tensor on the device, or nothing. 40,000 photographs of
128 px are 2 GB; what is left of the memory is the training's.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from leafsight.progress import Progress

SHARE = 0.5
"""Of the memory that is free before training begins."""
COPIED_BYTES = 256 * 1024 * 1024


def free_bytes(device: torch.device) -> int:
    """Memory of the device that nobody has; 0 where pixels have no need to be moved, as on a processor."""
    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    return int(free)


def resident_pixels(
    images: UInt8[np.ndarray, "n side side 3"],
    device: torch.device,
    progress: Progress,
    *,
    free: int | None = None,
) -> Tensor | None:
    """``images`` on ``device``, or None when they would take more than ``SHARE`` of what is free there.

    Args:
        images: the packed photographs, of which only a part is in memory.
        device: that trains.
        progress: told of the copying.
        free: bytes; asked of the device unless given.
    """
    room = free_bytes(device) if free is None else free
    if images.nbytes > room * SHARE:
        return None
    held = torch.empty(images.shape, dtype=torch.uint8, device=device)
    block = max(1, COPIED_BYTES // max(1, images[0].nbytes))
    progress.start("photographs to the device", len(images))
    for start in range(0, len(images), block):
        part = np.ascontiguousarray(images[start : start + block])
        held[start : start + block].copy_(torch.from_numpy(part))
        progress.advance(len(part))
    progress.finish()
    return held
