"""From what a recipe says about pretrained weights to a network that has them."""

from __future__ import annotations

from pathlib import Path

from leafsight.errors import ConfigError, StorageError
from leafsight.models.download import fetch_weights, is_address
from leafsight.models.options import ModelOptions
from leafsight.progress import Progress
from leafsight.storage import file_sha256


def resolve_pretrained(
    options: ModelOptions, *, cache_dir: Path, progress: Progress | None = None
) -> Path | None:
    """The local file that ``options.pretrained`` means, fetched if it is an address; None for none.

    Args:
        options: ``pretrained`` and ``pretrained_sha256`` are looked at.
        cache_dir: where downloads are kept.
        progress: told of bytes.

    Raises:
        ConfigError: an address without a hash.
        StorageError: not there, not reachable, or another hash than the recipe says.
    """
    if options.pretrained is None:
        return None
    if is_address(options.pretrained):
        if options.pretrained_sha256 is None:
            raise ConfigError(
                f"model.pretrained is the address {options.pretrained} without model.pretrained_sha256",
                hint="give the SHA-256 of the file, so that nobody can change it unnoticed",
            )
        return fetch_weights(options.pretrained, options.pretrained_sha256, cache_dir, progress)
    path = Path(options.pretrained).expanduser()
    if not path.exists():
        raise StorageError(f"no pretrained weights at {path}", hint="check model.pretrained in the recipe")
    if options.pretrained_sha256 is not None and path.is_file():
        found = file_sha256(path)
        if found != options.pretrained_sha256:
            raise StorageError(f"{path} has the SHA-256 {found}, not {options.pretrained_sha256}")
    return path
