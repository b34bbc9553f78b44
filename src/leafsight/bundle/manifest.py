"""The table of contents: written as canonical JSON, read with every fault reported at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leafsight import __version__
from leafsight.bundle.checking import Checker
from leafsight.bundle.parts import MANIFEST, MAX_PARTS, REQUIRED, is_known, max_size_bytes
from leafsight.bundle.records import Label, NetworkSpec, Part, TensorSpec
from leafsight.errors import BundleCorruptError, BundleError, BundleVersionError
from leafsight.storage import canonical_json

FORMAT = "leafsight-bundle"
FORMAT_VERSION = 1
KEYS = (
    "format",
    "format_version",
    "name",
    "created_by",
    "labels",
    "preprocessing",
    "calibration",
    "network",
    "parts",
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands in ``manifest.json``.

    Attributes:
        name: what people call the model.
        created_by: program and version that wrote it.
        labels: the classes in the order of the logits.
        preprocessing: the contract of room ``images``, as its ``to_dict`` gave it.
        calibration: plain values of room ``evaluation``; its arrays are parts.
        network: names and shapes of the graph's input and outputs.
        parts: checksum and size of every other file.
    """

    name: str
    created_by: str
    labels: tuple[Label, ...]
    preprocessing: Mapping[str, Any]
    calibration: Mapping[str, Any]
    network: NetworkSpec
    parts: Mapping[str, Part]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, in the layout of format version 1."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "name": self.name,
            "created_by": self.created_by,
            "labels": [label.to_dict() for label in self.labels],
            "preprocessing": dict(self.preprocessing),
            "calibration": dict(self.calibration),
            "network": self.network.to_dict(),
            "parts": {name: part.to_dict() for name, part in self.parts.items()},
        }

    def to_bytes(self) -> bytes:
        """The file itself: indented, sorted keys, UTF-8."""
        return (canonical_json(self.to_dict(), indent=1) + "\n").encode()

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of the canonical manifest, which names the SHA-256 of every part."""
        return hashlib.sha256(canonical_json(self.to_dict()).encode()).hexdigest()


def parse_manifest(data: bytes) -> Manifest:
    """The manifest in the bytes of ``manifest.json``.

    Raises:
        BundleError: the JSON is of something else.
        BundleVersionError: written by a leafsight that knows a newer format.
        BundleCorruptError: not JSON, or faulty; the message lists every fault.
    """
    values = _json_table(data)
    _refuse_other_formats(values)
    check = Checker()
    manifest = read_manifest(values, check)
    if check.faults:
        listed = "\n".join(f"  {fault}" for fault in check.faults)
        raise BundleCorruptError(f"{MANIFEST} has {len(check.faults)} fault(s):\n{listed}")
    return manifest


def read_manifest(values: Mapping[str, Any], check: Checker) -> Manifest:
    """Build the manifest and leave every fault in ``check``; usable only when there is none."""
    check.keys(values, KEYS, "")
    labels = check.rows(values.get("labels"), "labels", _label)
    network = _network(check.table(values.get("network"), "network"), check)
    parts = check.table(values.get("parts"), "parts")
    manifest = Manifest(
        name=check.text(values.get("name"), "name"),
        created_by=check.text(values.get("created_by"), "created_by"),
        labels=tuple(labels),
        preprocessing=check.table(values.get("preprocessing"), "preprocessing"),
        calibration=check.table(values.get("calibration"), "calibration"),
        network=network,
        parts={name: _part(name, value, check) for name, value in parts.items()},
    )
    _check_parts(manifest, check)
    if not check.faults:
        _check_agreement(manifest, check)
    return manifest


def _json_table(data: bytes) -> Mapping[str, Any]:
    try:
        values = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BundleCorruptError(f"{MANIFEST} is not valid JSON: {error}") from error
    if not isinstance(values, dict):
        raise BundleCorruptError(f"{MANIFEST} holds a {type(values).__name__}, not a table")
    return values


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is not a JSON number")


def _refuse_other_formats(values: Mapping[str, Any]) -> None:
    if values.get("format") != FORMAT:
        raise BundleError(
            f"{MANIFEST} says format {values.get('format')!r}, not {FORMAT!r}",
            hint="this is not a leafsight bundle; give a .leafsight file or folder",
        )
    version = values.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BundleCorruptError(f"{MANIFEST}: format_version is {version!r}, wanted a number from 1 on")
    if version > FORMAT_VERSION:
        raise BundleVersionError(
            f"the bundle has format version {version}; leafsight {__version__} reads up to {FORMAT_VERSION}"
            f" (written by {values.get('created_by', 'an unknown program')})",
            hint="update with: pip install --upgrade leafsight",
        )


def _label(value: Mapping[str, Any], key: str, check: Checker) -> Label:
    check.keys(value, ("class_name", "key", "crop", "condition", "display", "is_leaf"), key)
    return Label(
        class_name=check.text(value.get("class_name"), f"{key}.class_name"),
        key=check.text(value.get("key"), f"{key}.key"),
        crop=check.text_or_none(value.get("crop"), f"{key}.crop"),
        condition=check.text_or_none(value.get("condition"), f"{key}.condition"),
        display=check.text(value.get("display"), f"{key}.display"),
        is_leaf=check.truth(value.get("is_leaf"), f"{key}.is_leaf"),
    )


def _network(value: Mapping[str, Any], check: Checker) -> NetworkSpec:
    check.keys(value, ("input", "outputs", "precision"), "network")
    outputs = check.table(value.get("outputs"), "network.outputs")
    check.keys(outputs, ("logits", "embedding", "feature_map"), "network.outputs")
    return NetworkSpec(
        input=_tensor(value.get("input"), "network.input", check),
        logits=_tensor(outputs.get("logits"), "network.outputs.logits", check),
        embedding=_tensor(outputs.get("embedding"), "network.outputs.embedding", check),
        feature_map=_tensor(outputs.get("feature_map"), "network.outputs.feature_map", check),
        precision=check.text(value.get("precision"), "network.precision"),
    )


def _tensor(value: object, key: str, check: Checker) -> TensorSpec:
    table = check.table(value, key)
    check.keys(table, ("name", "shape", "dtype"), key)
    return TensorSpec(
        name=check.text(table.get("name"), f"{key}.name"),
        shape=check.shape(table.get("shape"), f"{key}.shape"),
        dtype=check.text(table.get("dtype"), f"{key}.dtype"),
    )


def _part(name: str, value: object, check: Checker) -> Part:
    key = f"parts.{name}"
    table = check.table(value, key)
    check.keys(table, ("sha256", "size_bytes"), key)
    part = Part(
        sha256=check.sha256(table.get("sha256"), f"{key}.sha256"),
        size_bytes=check.whole(table.get("size_bytes"), f"{key}.size_bytes"),
    )
    if part.size_bytes > max_size_bytes(name):
        check.fault(f"{key}.size_bytes", part.size_bytes, f"at most {max_size_bytes(name)}")
    return part


def _check_parts(manifest: Manifest, check: Checker) -> None:
    for name in manifest.parts:
        if not is_known(name):
            check.fault("parts", name, "only parts that this format knows")
    for name in REQUIRED:
        if name not in manifest.parts:
            check.fault("parts", "no " + name, "every required part")
    if len(manifest.parts) > MAX_PARTS:
        check.fault("parts", f"{len(manifest.parts)} parts", f"at most {MAX_PARTS}")


def _check_agreement(manifest: Manifest, check: Checker) -> None:
    """What must fit together: labels with logits, pooled with unpooled features, picture with contract."""
    names = [label.class_name for label in manifest.labels]
    for name in sorted({name for name in names if names.count(name) > 1}):
        check.fault("labels", f"class {name!r} more than once", "different class names")
    net, side_px = manifest.network, manifest.preprocessing.get("side_px")
    width = net.embedding.shape[-1] if net.embedding.shape else None
    wanted = {
        "input": (net.input, (None, side_px, side_px, 3), "uint8"),
        "outputs.logits": (net.logits, (None, len(names)), "float32"),
        "outputs.embedding": (net.embedding, (None, width), "float32"),
        "outputs.feature_map": (net.feature_map, (None, width, *net.feature_map.shape[2:4]), "float32"),
    }
    for key, (spec, shape, dtype) in wanted.items():
        if spec.shape != shape or spec.dtype != dtype or None in spec.shape[1:]:
            check.fault(f"network.{key}", f"{spec.dtype} {spec.shape}", f"{dtype} {shape}")
    if len(net.feature_map.shape) != 4:
        check.fault("network.outputs.feature_map", f"{net.feature_map.shape}", "four axes")
