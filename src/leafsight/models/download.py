"""Weights from the web into a cache folder, by their hash; ``storage`` does the downloading."""

from __future__ import annotations

import urllib.parse
from pathlib import Path

from leafsight.progress import Progress
from leafsight.storage import DownloadOptions, WebFile, check_address, download

MAX_DOWNLOAD_BYTES = 512 * 1024 * 1024


def is_address(text: str) -> bool:
    """Whether ``pretrained`` names something on the web rather than a file."""
    return "://" in text


def fetch_weights(
    url: str,
    sha256: str,
    cache_dir: Path,
    progress: Progress | None = None,
    *,
    max_bytes: int = MAX_DOWNLOAD_BYTES,
) -> Path:
    """The file at ``url``, downloaded once.

    An interrupted download goes on where it stopped if the server can do that. The file appears under its
    final name only after its hash was right. It is tried once: whoever trains is told at once.

    Args:
        url: http or https; the hash makes the plain one safe too.
        sha256: of the whole file, 64 hex digits.
        cache_dir: created when missing; the name in it holds the hash, so versions do not mix.
        progress: told of bytes.
        max_bytes: a larger file is refused, by its announced or its actual size.

    Raises:
        UsageError: another kind of address, or no proper hash.
        StorageError: not reachable, too large, cut short, or another hash than announced.
        DiskFullError, PermissionDeniedError: the cache folder cannot be written.
    """
    check_address(url)
    name = Path(urllib.parse.unquote(urllib.parse.urlsplit(url).path)).name or "weights"
    target = cache_dir / f"{sha256.lower()[:16]}-{name[-100:]}"
    options = DownloadOptions(max_bytes=max_bytes, retries=0)
    return download(WebFile((url,), sha256), target, options, progress).path
