"""Weights in safetensors files: our own saved and loaded, other people's fitted to our names."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from leafsight.errors import LeafsightError, StorageError, TrainingError, require, validated
from leafsight.models.network import Network, build_network
from leafsight.models.options import TIMM_PREFIX, ModelOptions
from leafsight.storage import canonical_json, os_errors_translated, write_bytes

MAX_WEIGHTS_BYTES = 512 * 1024 * 1024
# The part of a bundle that holds the network's weights, when it carries them.
BUNDLE_PART = "weights.safetensors"
METADATA_KEY = "leafsight.network"
# torch counts batches for a kind of averaging that we do not use; many files leave the counter out.
COUNTER = "num_batches_tracked"
NAMES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of the tensors of a file.

    Attributes:
        loaded: names (ours) that got their values from the file.
        missing: names of ours that the file does not have and that kept their values; the head is not
            counted when it was dropped.
        unexpected: names in the file that the network has no place for.
        dropped_head: the file's head has another number of classes or another depth and was left out.
    """

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    dropped_head: bool


def load_pretrained(
    network: Network, path: Path, *, allow_partial: bool = False, max_bytes: int = MAX_WEIGHTS_BYTES
) -> LoadReport:
    """Fill a network with weights of the same architecture.

    Takes our own names and torchvision's (``classifier.1`` or ``fc`` becomes our head); half precision
    becomes float32. Pixel scaling (``mean``, ``std``) is never taken from a file: it belongs to the caller.

    Args:
        network: changed in place, and only when everything fits.
        path: a safetensors file, or a bundle (zip or folder) that carries ``weights.safetensors``.
        allow_partial: accept a file that lacks tensors of the feature extractor.
        max_bytes: a larger file is refused before it is read.

    Raises:
        StorageError: missing, unreadable, too large, or not safetensors.
        TrainingError: a tensor of the feature extractor has another shape or is missing; all are named.
    """
    tensors, _ = read_tensors(path, max_bytes=max_bytes)
    found = {_our_name(name, network, tensors): tensor for name, tensor in tensors.items()}
    wanted = {name: value for name, value in network.state_dict().items() if name not in ("mean", "std")}
    heads = [{n: t.shape for n, t in side.items() if n.startswith("head.")} for side in (found, wanted)]
    dropped_head = bool(heads[0]) and heads[0] != heads[1]
    usable = {n: t for n, t in found.items() if n in wanted and not (dropped_head and n.startswith("head."))}
    _check_shapes(usable, wanted, network, path)
    missing = [n for n in wanted if n not in usable and not n.endswith(COUNTER)]
    lost = [n for n in missing if n.startswith("features.")]
    if lost and not (allow_partial and usable):
        raise TrainingError(
            f"{path} lacks {len(lost)} tensors of {network.options.name}: {_some(lost)}",
            hint="are these weights of the same architecture?",
        )
    network.load_state_dict(
        {n: t.float() if t.is_floating_point() else t for n, t in usable.items()}, strict=False
    )
    return LoadReport(
        loaded=tuple(sorted(usable)),
        missing=tuple(n for n in missing if not (dropped_head and n.startswith("head."))),
        unexpected=tuple(sorted(n for n in found if n not in wanted and n not in ("mean", "std"))),
        dropped_head=dropped_head,
    )


def _our_name(name: str, network: Network, tensors: Mapping[str, Tensor]) -> str:
    """The name in our network of a tensor that a file calls ``name``."""
    architecture = network.options.name
    for theirs in ("classifier.1.", "fc."):
        if name.startswith(theirs) and not architecture.startswith(TIMM_PREFIX):
            return "head.1." + name.removeprefix(theirs)
    ours = any(other.startswith("features.") for other in tensors)
    if ours or name in ("mean", "std"):
        return name
    return f"features.model.{name}" if architecture.startswith(TIMM_PREFIX) else f"features.{name}"


def _check_shapes(
    usable: Mapping[str, Tensor], wanted: Mapping[str, Tensor], network: Network, path: Path
) -> None:
    wrong = [
        f"{name} is {tuple(usable[name].shape)}, wanted {tuple(ours.shape)}"
        for name, ours in wanted.items()
        if name in usable and usable[name].shape != ours.shape
    ]
    if wrong:
        raise TrainingError(
            f"{path} does not fit {network.options.name} of width {network.options.width:g}: {_some(wrong)}",
            hint="are these weights of the same architecture and width?",
        )


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + rest


def encode_weights(
    network: Network, metadata: Mapping[str, str] | None = None, *, half: bool = False
) -> bytes:
    """All parameters and buffers as one safetensors file, with what is needed to build the network again.

    Args:
        network: left as it is.
        metadata: further texts for the file.
        half: floats as float16, half the size; reading gives float32 again, rounded to 11 bits.
    """
    safetensors = require("safetensors.torch", "train")
    # Left out where it does nothing, so that versions which do not know the key read the file.
    unused = {"morphology"} if network.options.morphology.operation == "none" else set()
    architecture = {
        "options": network.options.model_dump(mode="json", exclude=unused),
        "n_classes": network.n_classes,
        "mean": network.mean.flatten().tolist(),
        "std": network.std.flatten().tolist(),
    }
    tensors = {
        name: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    texts = dict(metadata or {}) | {METADATA_KEY: canonical_json(architecture)}
    encoded: bytes = safetensors.save(tensors, texts)
    return encoded


def save_weights(network: Network, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write ``encode_weights`` to ``path``, whole or not at all."""
    write_bytes(path, encode_weights(network, metadata))


def load_weights(network: Network, path: Path) -> dict[str, str]:
    """Fill a network with weights that ``save_weights`` wrote from one just like it.

    Returns:
        The metadata given to ``save_weights``.

    Raises:
        StorageError: missing, unreadable, too large, or not safetensors.
        TrainingError: a tensor is missing, superfluous or of another shape.
    """
    tensors, metadata = read_tensors(path)
    _fill(network, tensors, path)
    return {key: value for key, value in metadata.items() if key != METADATA_KEY}


def load_network(path: Path) -> tuple[Network, dict[str, str]]:
    """The network in a file of ``save_weights`` (or in a bundle that carries one), and its metadata.

    Raises:
        StorageError: missing, unreadable, too large, or not a file of ``save_weights``.
        TrainingError, ConfigError: it says one thing about its network and holds another.
    """
    tensors, metadata = read_tensors(path)
    try:
        architecture = json.loads(metadata.pop(METADATA_KEY))
        values, n_classes = dict(architecture["options"]), int(architecture["n_classes"])
        mean, std = ([float(value) for value in architecture[key]] for key in ("mean", "std"))
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"{path} does not say which network its weights belong to",
            hint="load it with load_pretrained into a network of your choice",
        ) from error
    network = build_network(validated(ModelOptions, values, str(path)), n_classes, mean=mean, std=std)
    _fill(network, tensors, path)
    return network, metadata


def _fill(network: Network, tensors: Mapping[str, Tensor], path: Path) -> None:
    try:
        network.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise TrainingError(f"{path} does not fit the network: {error}") from error


def read_tensors(
    path: Path, *, max_bytes: int = MAX_WEIGHTS_BYTES
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a safetensors file, or of the one inside a bundle.

    Raises:
        StorageError: missing, unreadable, larger than ``max_bytes``, or not safetensors.
    """
    safetensors = require("safetensors.torch", "train")
    data = _read_bytes(path / BUNDLE_PART if path.is_dir() else path, max_bytes)
    try:
        tensors: dict[str, Tensor] = safetensors.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except Exception as error:
        # safetensors raises its own class for a bad header and plain ones for bad dtypes.
        raise StorageError(f"{path} is not a safetensors file: {error}") from error
    return tensors, dict(header.get("__metadata__", {}))


def _read_bytes(path: Path, max_bytes: int) -> bytes:
    with os_errors_translated(path):
        size = path.stat().st_size
        if zipfile.is_zipfile(path):
            return _read_from_bundle(path, max_bytes)
        if size > max_bytes:
            raise _too_large(path, size, max_bytes)
        return path.read_bytes()


def _read_from_bundle(path: Path, max_bytes: int) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            part = archive.getinfo(BUNDLE_PART)
            if part.file_size > max_bytes:
                raise _too_large(path, part.file_size, max_bytes)
            return archive.read(part)
    except KeyError as error:
        raise StorageError(
            f"{path} carries no {BUNDLE_PART}", hint="this bundle serves only; ask for its training weights"
        ) from error
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise StorageError(f"{path} is a damaged zip file: {error}") from error


def _too_large(path: Path, size: int, max_bytes: int) -> LeafsightError:
    return StorageError(f"{path} holds {size} bytes of weights, more than the limit of {max_bytes}")
