"""CIFAR-10's binary records as PNG files in class folders, without loss and without unpickling anything.

Source of the layout: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version": 1 byte label, then 1,024
bytes red, 1,024 green, 1,024 blue, row by row; 10,000 records a file; ``batches.meta.txt`` names the classes.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from leafsight.dataset.fetching.unpacking import Unpacked
from leafsight.dataset.safe_names import safe_siblings
from leafsight.errors import DatasetError
from leafsight.progress import Progress
from leafsight.storage import os_errors_translated

SIDE_PX = 32
CHANNELS = 3
RECORD_BYTES = 1 + CHANNELS * SIDE_PX * SIDE_PX
CLASSES = 10
NAMES_FILE = "batches.meta.txt"
TEST_FILE = "test_batch.bin"


def decode_records(data: bytes, name: str) -> tuple[UInt8[np.ndarray, " n"], UInt8[np.ndarray, "n 32 32 3"]]:
    """Labels and pictures of one file.

    Args:
        data: whole records.
        name: for the error.

    Returns:
        Labels 0..9, and RGB pixels 0..255.

    Raises:
        DatasetError: a torn record, no record, or a label above 9.
    """
    if not data or len(data) % RECORD_BYTES:
        raise DatasetError(f"{name} has {len(data)} bytes, which are not records of {RECORD_BYTES}")
    records = np.frombuffer(data, dtype=np.uint8).reshape(-1, RECORD_BYTES)
    labels = records[:, 0]
    if int(labels.max()) >= CLASSES:
        raise DatasetError(f"{name} has the label {int(labels.max())}; CIFAR-10 has 0 to {CLASSES - 1}")
    planes = records[:, 1:].reshape(-1, CHANNELS, SIDE_PX, SIDE_PX)
    return labels, np.ascontiguousarray(planes.transpose(0, 2, 3, 1))


def write_pictures(
    files: dict[str, Unpacked], folder: Path, progress: Progress
) -> list[tuple[str, Unpacked]]:
    """Write ``train/CLASS/*.png`` and ``test/CLASS/*.png``.

    Args:
        files: the unpacked parts by name.
        folder: of the collection.
        progress: told of every picture.

    Returns:
        For each picture: where it came from (``data_batch_1.bin#17``) and the file, its name relative to
        ``folder``.

    Raises:
        DatasetError: a part is missing or is not what it should be.
    """
    batches = sorted(name for name in files if name.endswith(".bin"))
    if NAMES_FILE not in files or TEST_FILE not in batches or len(batches) < 2:
        raise DatasetError(f"not CIFAR-10's binary version: it holds {', '.join(sorted(files))}")
    with os_errors_translated(folder):
        text = files[NAMES_FILE].place.read_text(encoding="utf-8", errors="replace")
        names = text.split()
        if len(set(names)) != CLASSES or len(names) != CLASSES:
            raise DatasetError(f"{NAMES_FILE} names {len(names)} classes, CIFAR-10 has {CLASSES}")
        safe = safe_siblings(names, are_folders=True)
        written: list[tuple[str, Unpacked]] = []
        progress.start("writing pictures")
        for batch in batches:
            split = "test" if batch == TEST_FILE else "train"
            labels, pictures = decode_records(files[batch].place.read_bytes(), batch)
            for number, (label, picture) in enumerate(zip(labels.tolist(), pictures, strict=True)):
                inside = f"{split}/{safe[names[label]]}/{batch.removesuffix('.bin')}-{number:05d}.png"
                written.append((f"{batch}#{number}", _write(picture, inside, folder)))
                progress.advance()
        progress.finish(f"{len(written)} pictures")
    return written


def _write(picture: UInt8[np.ndarray, "32 32 3"], inside: str, folder: Path) -> Unpacked:
    packed = io.BytesIO()
    Image.fromarray(picture).save(packed, "PNG")
    data = packed.getvalue()
    place = folder / inside
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return Unpacked(inside, place, len(data), hashlib.sha256(data).hexdigest())
