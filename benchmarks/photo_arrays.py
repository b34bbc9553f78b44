"""Folders of photographs as arrays, for the scripts beside this file.

Enters: a folder of ``class/file``. Leaves: thumbnails, embeddings, labels, groups. With a cache folder they
    are kept as .npz and made again only when the list of files or the model changes. Embeddings are those of
    the built-in model, one thread. A leaf map ``leaf_groups.csv`` (class, file, leaf) in the folder gives the
    groups.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
CHUNK = 32


@dataclass(frozen=True)
class Photos:
    """One collection: ``files`` relative to the folder, rgb uint8[n, 32, 32, 3], embedding float32[n, d]."""

    name: str
    files: list[str]
    class_names: list[str]
    labels: np.ndarray
    groups: np.ndarray
    rgb: np.ndarray
    embedding: np.ndarray

    def take(self, rows: np.ndarray) -> Photos:
        return Photos(
            self.name,
            [self.files[row] for row in rows],
            self.class_names,
            self.labels[rows],
            self.groups[rows],
            self.rgb[rows],
            self.embedding[rows],
        )


def read_collection(folder: Path, *, cache: Path | None = None, most: int = 0, seed: int = 0) -> Photos:
    """Thumbnails and embeddings of a folder; ``most`` photographs drawn at random when it is not 0."""
    paths = sorted(p for p in folder.glob("*/*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if most and len(paths) > most:
        rows = np.sort(np.random.default_rng(seed).choice(len(paths), most, replace=False))
        paths = [paths[row] for row in rows]
    if not paths:
        raise SystemExit(f"no photographs in {folder}/*/")
    files = [path.relative_to(folder).as_posix() for path in paths]
    class_names = sorted({path.parent.name for path in paths})
    labels = np.array([class_names.index(path.parent.name) for path in paths], dtype=np.int64)
    rgb, embedding = _arrays(paths, files, cache, folder.name)
    return Photos(folder.name, files, class_names, labels, _groups(folder, files), rgb, embedding)


def _arrays(
    paths: list[Path], files: list[str], cache: Path | None, name: str
) -> tuple[np.ndarray, np.ndarray]:
    from leafsight.bundle import builtin_bundle_path
    from leafsight.inference import BundlePredictor

    predictor = BundlePredictor(builtin_bundle_path(), threads=1)
    wanted = hashlib.sha256("\n".join([predictor.bundle.content_hash, *files]).encode()).hexdigest()[:16]
    kept = None if cache is None else cache / f"{name}-{wanted}.npz"
    if kept is not None and kept.is_file():
        with np.load(kept, allow_pickle=False) as arrays:
            return arrays["rgb"], arrays["embedding"]
    thumbnails, embeddings = [], []
    for at in range(0, len(paths), CHUNK):
        data = [path.read_bytes() for path in paths[at : at + CHUNK]]
        thumbnails += [_thumbnail(one) for one in data]
        embeddings.append(_embedding(predictor, data))
    rgb, embedding = np.stack(thumbnails), np.concatenate(embeddings)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, rgb=rgb, embedding=embedding)
    return rgb, embedding


def _embedding(predictor, data: list[bytes]) -> np.ndarray:
    from leafsight.images import prepare_bytes

    squares = np.stack([prepare_bytes(one, predictor.preprocessing) for one in data])
    return predictor.network(squares).embedding.astype(np.float32)


def _thumbnail(data: bytes) -> np.ndarray:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    return np.asarray(picture.resize((32, 32), Image.Resampling.BOX))


def _groups(folder: Path, files: list[str]) -> np.ndarray:
    """int64[n]: one number a leaf; a photograph without an entry in the leaf map stands alone."""
    leaves: dict[str, str] = {}
    table = folder / "leaf_groups.csv"
    if table.is_file():
        with table.open(encoding="utf-8-sig", newline="") as lines:
            leaves = {
                f"{row['class']}/{row['file']}": f"{row['class']}/{row['leaf']}"
                for row in csv.DictReader(lines)
            }
    keys = [leaves.get(file, file) for file in files]
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)
