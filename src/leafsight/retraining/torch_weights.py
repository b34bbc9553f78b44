"""The head in the torch weights that a bundle may carry, so that training can go on from a candidate, too.

Enters: the bytes of a safetensors file as room ``models`` writes it, a head, the classes. Leaves: the same
file with that head, in half precision as the others, or None where it has no head of one dense layer. Written
by hand: the library puts its texts in another order every time, and equal candidates must be equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from leafsight.retraining.head import Head
from leafsight.storage import canonical_json

TEXTS = "__metadata__"
CLASSES, NETWORK = "leafsight.classes", "leafsight.network"
DTYPES = {"F16": "<f2", "F32": "<f4"}
PREFIX_BYTES, ALIGNED_BYTES = 8, 8


def weights_with_head(data: bytes, head: Head, classes: Sequence[str]) -> bytes | None:
    """The weights with another head; None when they cannot have it, and are better left out."""
    try:
        start = PREFIX_BYTES + int.from_bytes(data[:PREFIX_BYTES], "little")
        header: dict[str, Any] = json.loads(data[PREFIX_BYTES:start])
        texts = _renamed(header.pop(TEXTS), classes)
        tensors = {name: (about, data[slice(*_place(about, start))]) for name, about in header.items()}
        tensors |= _exchanged(header, head)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return None
    return _written(texts, tensors)


def _place(about: Any, start: int) -> tuple[int, int]:
    first, last = about["data_offsets"]
    return start + first, start + last


def _renamed(texts: dict[str, str], classes: Sequence[str]) -> dict[str, str]:
    network = json.loads(texts[NETWORK]) | {"n_classes": len(classes)}
    return {**texts, CLASSES: canonical_json(list(classes)), NETWORK: canonical_json(network)}


def _exchanged(header: dict[str, Any], head: Head) -> dict[str, tuple[Any, bytes]]:
    """The two tensors of the head; a deeper one raises ``ValueError``."""
    own = [name for name in header if name.startswith("head.")]
    weight, bias = sorted(own, key=lambda name: -len(header[name]["shape"]))
    if header[weight]["shape"][1:] != [head.weight.shape[1]] or len(header[bias]["shape"]) != 1:
        raise ValueError("another head")
    found = {}
    for name, values in ((weight, head.weight), (bias, head.bias)):
        written = values.astype(DTYPES[header[name]["dtype"]])
        found[name] = ({**header[name], "shape": list(written.shape)}, written.tobytes())
    return found


def _written(texts: dict[str, str], tensors: dict[str, tuple[Any, bytes]]) -> bytes:
    # Wider types first, then by name, as the library lays them out: every tensor then lies on its own grain.
    order = sorted(tensors, key=lambda name: (-_grain(tensors[name][0]), name))
    header: dict[str, Any] = {TEXTS: texts}
    at = 0
    for name in order:
        about, values = tensors[name]
        header[name] = {
            "dtype": about["dtype"],
            "shape": about["shape"],
            "data_offsets": [at, at + len(values)],
        }
        at += len(values)
    text = canonical_json(header).encode()
    text += b" " * (-(PREFIX_BYTES + len(text)) % ALIGNED_BYTES)
    return b"".join([len(text).to_bytes(PREFIX_BYTES, "little"), text, *(tensors[name][1] for name in order)])


def _grain(about: Any) -> int:
    digits = "".join(one for one in str(about["dtype"]) if one.isdigit())
    return int(np.clip(int(digits or 8), 8, 64))
