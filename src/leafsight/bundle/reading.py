"""Opening: every part verified first, then read when asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leafsight.bundle import parts
from leafsight.bundle.arrays import from_npy
from leafsight.bundle.companion import companion_of, read_companion
from leafsight.bundle.containers import HINT_AGAIN, Container, open_container
from leafsight.bundle.contents import BundleContents
from leafsight.bundle.manifest import Manifest, parse_manifest
from leafsight.bundle.matching import class_differences
from leafsight.bundle.memory import DESCRIPTION, MEMORY_PARTS, Memory, read_memory
from leafsight.bundle.records import Label, NetworkSpec
from leafsight.errors import BundleCorruptError, BundleError, BundleMismatchError


def open_bundle(path: Path | str, *, keep_network: bool = False) -> Bundle:
    """Open a bundle and verify all of it.

    Nothing is run and nothing is unpacked. Memory: one chunk and the manifest, whatever the size.

    Args:
        path: a ``.leafsight`` file, or the folder of one.
        keep_network: hold the network's bytes, once verified, for the first call of ``network``: who runs
            it at once need not read and hash it twice (20 of 500 ms of a first prediction).

    Raises:
        BundleError: nothing is there, or something else than a bundle.
        BundleVersionError: written by a newer leafsight.
        BundleCorruptError: a part is missing, unknown, cut short or altered; the message names it.
        PermissionDeniedError, StorageError: the system does not let us read it.
    """
    where = Path(path)
    container = open_container(where)
    try:
        manifest = _read_manifest(container)
        _compare_parts(container, manifest)
        kept: list[bytes] = []
        for part in manifest.parts:
            _verify(container, part, manifest, kept if keep_network and part == parts.NETWORK else None)
        bundle = Bundle(where, container, manifest, b"".join(kept) or None)
        bundle.cam_head()
    except BundleError as error:
        raise _located(error, where) from error
    return bundle


class Bundle:
    """An open bundle. Parts are read when asked for, and checked again at that moment.

    Attributes:
        path: where it lies.
        manifest: its table of contents.
    """

    def __init__(
        self, path: Path, container: Container, manifest: Manifest, network: bytes | None = None
    ) -> None:
        self.path = path
        self.manifest = manifest
        self._container = container
        self._kept_network = network

    @property
    def name(self) -> str:
        """What people call the model."""
        return self.manifest.name

    @property
    def labels(self) -> tuple[Label, ...]:
        """The classes in the order of the logits."""
        return self.manifest.labels

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the logits."""
        return tuple(label.class_name for label in self.labels)

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """Plain values for ``Preprocessing.from_dict`` of room ``images``."""
        return self.manifest.preprocessing

    @property
    def calibration(self) -> Mapping[str, Any]:
        """Plain values of room ``evaluation``."""
        return self.manifest.calibration

    @property
    def network_spec(self) -> NetworkSpec:
        """Names and shapes of the graph's input and outputs."""
        return self.manifest.network

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) that stands for all contents."""
        return self.manifest.content_hash

    @property
    def size_bytes(self) -> int:
        """Size of all parts together."""
        return sum(part.size_bytes for part in self.manifest.parts.values())

    def network(self) -> bytes:
        """The ONNX file."""
        kept, self._kept_network = self._kept_network, None
        return kept if kept is not None else self.read(parts.NETWORK)

    def weights(self) -> bytes | None:
        """The torch weights as safetensors, or None when they were left out."""
        return self.read(parts.WEIGHTS) if parts.WEIGHTS in self.manifest.parts else None

    def calibration_arrays(self) -> dict[str, NDArray[np.floating]]:
        """The arrays of the calibration by name."""
        names = sorted(part for part in self.manifest.parts if part.startswith("calibration/"))
        return {Path(part).stem: self._array(part) for part in names}

    def cam_head(self) -> tuple[NDArray[np.floating], NDArray[np.floating]] | None:
        """Weights ``[classes, d]`` and biases ``[classes]`` of a dense head on pooled features, or None.

        Raises:
            BundleCorruptError: their shapes do not fit the classes and the feature map.
        """
        if parts.CAM_WEIGHT not in self.manifest.parts:
            return None
        weight = self._array(parts.CAM_WEIGHT)
        has_bias = parts.CAM_BIAS in self.manifest.parts
        bias = self._array(parts.CAM_BIAS) if has_bias else np.zeros(len(weight), np.float32)
        wanted = (len(self.labels), self.network_spec.feature_map.shape[1])
        if weight.shape != wanted or bias.shape != wanted[:1]:
            raise BundleCorruptError(
                f"{parts.CAM_WEIGHT} {weight.shape} and {parts.CAM_BIAS} {bias.shape} do not fit {wanted}"
            )
        return weight, bias

    def memory(self) -> Memory | None:
        """What it remembers of the photographs that it was made from; None when it remembers nothing.

        The built-in model's lies beside it, others' are a part of the bundle.

        Raises:
            BundleCorruptError: it cannot be used, or does not fit the classes.
            BundleMismatchError: what lies beside belongs to another bundle.
        """
        width = int(self.network_spec.embedding.shape[-1] or 0)
        try:
            read = self._memory_parts()
            return None if read is None else read_memory(read, len(self.labels), width)
        except BundleError as error:
            raise _located(error, self.path) from error

    def _memory_parts(self) -> Callable[[str], bytes] | None:
        """Inside the bundle, else beside it."""
        if DESCRIPTION not in self.manifest.parts:
            beside = companion_of(self.path)
            return read_companion(beside, self.content_hash) if beside.is_file() else None
        missing = [part for part in MEMORY_PARTS if part not in self.manifest.parts]
        if missing:
            raise BundleCorruptError(f"the memory is missing {', '.join(missing)}")
        return self.read

    def contents(self) -> BundleContents:
        """Everything that is in it, to write another bundle of which only some parts differ.

        Written unchanged, it gives a bundle of the same content hash.
        """
        head = self.cam_head()
        has_bias = parts.CAM_BIAS in self.manifest.parts
        return BundleContents(
            name=self.name,
            labels=self.labels,
            preprocessing=self.preprocessing,
            network=self.read(parts.NETWORK),
            network_spec=self.network_spec,
            calibration=self.calibration,
            calibration_arrays=self.calibration_arrays(),
            cam_weight=None if head is None else head[0],
            cam_bias=head[1] if head is not None and has_bias else None,
            weights=self.weights(),
            metrics=self.metrics,
            provenance=self.provenance,
            recipe=self.recipe,
            card=self.card,
            created_by=self.manifest.created_by,
            memory=self.memory() if DESCRIPTION in self.manifest.parts else None,
        )

    @property
    def metrics(self) -> dict[str, Any]:
        """The evaluation that was stored with the model."""
        return self._json(parts.METRICS)

    @property
    def provenance(self) -> dict[str, Any]:
        """Data fingerprint, seed, versions."""
        return self._json(parts.PROVENANCE)

    @property
    def recipe(self) -> str:
        """The TOML text it was trained from."""
        return self.read(parts.RECIPE).decode("utf-8", errors="replace")

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return self.read(parts.CARD).decode("utf-8", errors="replace")

    def read(self, part: str) -> bytes:
        """The bytes of one part, verified again: the file may have changed since it was opened.

        Raises:
            BundleError: the bundle has no such part.
            BundleCorruptError: its bytes are no longer those of the manifest.
        """
        if part not in self.manifest.parts:
            raise BundleError(f"{self.path} has no part {part!r}")
        try:
            chunks: list[bytes] = []
            _verify(self._container, part, self.manifest, chunks)
        except BundleError as error:
            raise _located(error, self.path) from error
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def require_classes(self, classes: Sequence[str]) -> None:
        """Make sure that the bundle knows exactly these classes in this order.

        Raises:
            BundleMismatchError: it does not; the message names the differences.
        """
        differences = class_differences(self.classes, classes)
        if differences:
            raise BundleMismatchError(
                f"{self.path} was made for another list of classes: {differences}",
                hint="use the bundle with its own classes, or train one on these",
            )

    def _array(self, part: str) -> NDArray[np.floating]:
        return from_npy(self.read(part), part)

    def _json(self, part: str) -> dict[str, Any]:
        try:
            value = json.loads(self.read(part))
        except (ValueError, RecursionError) as error:
            raise BundleCorruptError(f"{self.path}: {part} is not valid JSON: {error}") from error
        if not isinstance(value, dict):
            raise BundleCorruptError(f"{self.path}: {part} is not a table")
        return value


def _read_manifest(container: Container) -> Manifest:
    size = container.sizes()[parts.MANIFEST]
    if size > parts.MAX_MANIFEST_BYTES:
        raise BundleCorruptError(f"{parts.MANIFEST} has {size} bytes, over its limit")
    return parse_manifest(b"".join(container.stream(parts.MANIFEST)))


def _compare_parts(container: Container, manifest: Manifest) -> None:
    there = set(container.sizes()) - {parts.MANIFEST}
    missing, extra = sorted(set(manifest.parts) - there), sorted(there - set(manifest.parts))
    if missing:
        raise BundleCorruptError(f"missing part(s): {', '.join(missing)}", hint=HINT_AGAIN)
    if extra:
        raise BundleCorruptError(
            f"part(s) that {parts.MANIFEST} does not name: {', '.join(extra)}", hint="remove them"
        )


def _verify(container: Container, part: str, manifest: Manifest, keep: list[bytes] | None = None) -> None:
    """Compare size and SHA-256 of one part, reading no further than its size; chunks go into ``keep``."""
    wanted = manifest.parts[part]
    digest, size = hashlib.sha256(), 0
    for chunk in container.stream(part):
        size += len(chunk)
        if size > wanted.size_bytes:
            break
        digest.update(chunk)
        if keep is not None:
            keep.append(chunk)
    if size != wanted.size_bytes:
        raise BundleCorruptError(
            f"{part} has {'more than' if size > wanted.size_bytes else 'only'}"
            f" {min(size, wanted.size_bytes)} bytes, wanted {wanted.size_bytes}",
            hint=HINT_AGAIN,
        )
    if digest.hexdigest() != wanted.sha256:
        raise BundleCorruptError(
            f"{part} was altered: its SHA-256 is not that of the manifest", hint=HINT_AGAIN
        )


def _located(error: BundleError, path: Path) -> BundleError:
    """The same error with the bundle's path in front, when it is not there yet."""
    if str(path) in error.message:
        return error
    return type(error)(f"{path}: {error.message}", hint=error.hint)
