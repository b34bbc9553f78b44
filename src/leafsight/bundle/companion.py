"""A memory that lies beside its bundle: ``NAME.memory`` for ``NAME.leafsight``.

Enters: the parts of a memory and the hash of the bundle that they belong to. Leaves: one file, and the parts
again. For the model that ships: who only diagnoses needs ten megabytes less in the bundle.

The file is one line of JSON, which names the bundle and every part with its size and SHA-256, and behind it
the parts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from leafsight.bundle.memory import MEMORY_PARTS
from leafsight.errors import BundleCorruptError, BundleMismatchError
from leafsight.storage import canonical_json, os_errors_translated, write_bytes

SUFFIX = ".memory"
FORMAT, FORMAT_VERSION = "leafsight-memory", 1
MAX_LINE_BYTES = 64 * 1024
MAX_FILE_BYTES = 256 * 1024 * 1024
HINT = "install leafsight again, or export the model again"


def companion_of(bundle_path: Path) -> Path:
    """Where the memory of a bundle lies, if it lies beside it."""
    return bundle_path.with_suffix(SUFFIX)


def write_companion(path: Path, bundle_hash: str, parts: Mapping[str, bytes]) -> None:
    """Write the file, whole or not at all.

    Args:
        path: of the file.
        bundle_hash: content hash of the bundle.
        parts: ``Memory.to_parts()``.

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: nothing is changed.
    """
    names = sorted(parts)
    listed = [[name, len(parts[name]), hashlib.sha256(parts[name]).hexdigest()] for name in names]
    about = {"format": FORMAT, "format_version": FORMAT_VERSION, "of": bundle_hash, "parts": listed}
    write_bytes(path, canonical_json(about).encode() + b"\n" + b"".join(parts[name] for name in names))


def read_companion(path: Path, bundle_hash: str) -> Callable[[str], bytes]:
    """What gives a part by its name; every part is verified.

    Raises:
        BundleMismatchError: it belongs to another bundle.
        BundleCorruptError: cut, altered, or something else.
        PermissionDeniedError, StorageError: it cannot be read.
    """
    with os_errors_translated(path), path.open("rb") as file:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BundleCorruptError(f"{path} is over its limit of {MAX_FILE_BYTES} bytes", hint=HINT)
        about = _about(file.readline(MAX_LINE_BYTES), path)
        data = file.read()
    if about["of"] != bundle_hash:
        raise BundleMismatchError(f"{path} is the memory of another bundle", hint=HINT)
    found: dict[str, bytes] = {}
    at = 0
    for name, size, digest in about["parts"]:
        found[name] = data[at : at + size]
        at += size
        if hashlib.sha256(found[name]).hexdigest() != digest:
            raise BundleCorruptError(f"{path}: {name} was cut short or altered", hint=HINT)
    if at != len(data):
        raise BundleCorruptError(f"{path} is longer than it says", hint=HINT)
    return found.__getitem__


def _about(line: bytes, path: Path) -> Mapping[str, Any]:
    try:
        about = json.loads(line)
        parts = [(str(name), int(size), str(digest)) for name, size, digest in about["parts"]]
        whole = (about["format"], about["format_version"]) == (FORMAT, FORMAT_VERSION)
        names = tuple(sorted(name for name, _, _ in parts))
        if not whole or names != tuple(sorted(MEMORY_PARTS)) or min(size for _, size, _ in parts) < 0:
            raise ValueError("not the parts of a memory")
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BundleCorruptError(f"{path} is not the memory of a bundle", hint=HINT) from error
    return {"of": about.get("of"), "parts": parts}
