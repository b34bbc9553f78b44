"""Which weights a run starts from: the recipe's words and a person's wish become a file, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from leafsight.bundle import builtin_bundle_path
from leafsight.errors import BundleError, ConfigError
from leafsight.models import BUNDLE_PART, resolve_pretrained
from leafsight.progress import Progress
from leafsight.storage import file_sha256
from leafsight.training.recipe import Recipe

NONE, BUILTIN, IMAGENET, AUTO = "none", "builtin", "imagenet", "auto"


def starting_weights(
    wanted: str | None,
    recipe: Recipe,
    downloads: Path,
    *,
    imagenet: Path | None = None,
    progress: Progress | None = None,
) -> Path | None:
    """The file of weights to start from, or ``None``: the recipe decides, or starts from random weights.

    ``builtin`` and a recipe's ``auto`` mean the backbone of the model that ships in the package; ``imagenet``
    means the file that ``imagenet`` names.

    Args:
        wanted: what a person asked for instead of the recipe's: ``none``, a word as above, a file, a bundle,
            an address.
        recipe: its table ``model`` says ``pretrained`` and ``pretrained_sha256``.
        downloads: folder that keeps what is downloaded.
        imagenet: ImageNet weights that are at hand.
        progress: told of bytes.

    Raises:
        BundleError: ``builtin`` was asked for and did not come with this installation.
        StorageError: the file is not there, or its address cannot be reached.
        ConfigError: an address without its hash, or ImageNet weights that nobody said where they are.
    """
    chosen = wanted or recipe.model.pretrained
    if chosen is None or chosen == NONE:
        return None
    if chosen == IMAGENET:
        chosen = wanted = str(_required(imagenet, recipe))
    if chosen in {BUILTIN, AUTO}:
        try:
            return builtin_bundle_path()
        except BundleError:
            if wanted:
                raise
            return None
    options = recipe.model
    if wanted:
        options = options.model_copy(update={"pretrained": wanted, "pretrained_sha256": None})
    return resolve_pretrained(options, cache_dir=downloads, progress=progress)


def describe_start(weights: Path | None) -> dict[str, str] | None:
    """What a run remembers of the file that it starts from: its ``file`` name and its ``sha256`` (hex).

    Args:
        weights: a file, or the folder of a bundle, whose weights are then what counts; ``None`` for random
            weights, of which there is nothing to say.

    Raises:
        StorageError: it cannot be read.
    """
    if weights is None:
        return None
    file = weights / BUNDLE_PART if weights.is_dir() else weights
    return {"file": weights.name, "sha256": file_sha256(file)}


def start_in_words(start: Mapping[str, str] | None) -> str:
    """What ``describe_start`` gave, for people."""
    return f"the weights {start['file']} ({start['sha256'][:8]})" if start else "random weights"


def _required(imagenet: Path | None, recipe: Recipe) -> Path:
    if imagenet is None:
        raise ConfigError(
            f"the recipe {recipe.recipe.name} starts from ImageNet weights of {recipe.model.name}, "
            "which do not come with leafsight",
            hint="say --pretrained FILE (docs/models.md tells where from), or none for random weights",
        )
    return imagenet
