"""What is seen of photographs when they are opened once: hashes, features, measures.

Enters and leaves: arrays and plain values, one row a photograph. It does not open anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt64


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """Photographs that were opened.

    Attributes:
        name: as their sender calls them.
        class_name: what they show, as sent.
        given_group: what their sender calls the plant, or None.
        pixel_hash: of the upright pixels, hex.
        look: look hashes, turned and mirrored ``[n, 8]``, or as they are ``[n, 1]``; 0 unknown.
        embedding: by the champion.
        logits: of the champion up to a constant; None where its head has to be asked.
        quality: measures by name.
    """

    name: Sequence[str]
    class_name: Sequence[str]
    given_group: Sequence[str | None]
    pixel_hash: Sequence[str]
    look: UInt64[np.ndarray, "n views"]
    embedding: Float32[np.ndarray, "n d"]
    logits: Float32[np.ndarray, "n c"] | None
    quality: Sequence[Mapping[str, Any]]

    def __len__(self) -> int:
        return len(self.name)
