"""Where photographs and uploads lie: a folder or a bucket, behind one small protocol.

Enters: an address, then names and bytes. Leaves: the bytes again, or one of our errors. It does not know
what the bytes are or who may see them.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol, runtime_checkable

from leafsight.errors import ConfigError
from leafsight.state.blob_names import MAX_BLOB_BYTES

TIMEOUT_S = 5.0
"""How long a bucket may be silent. Longer, and the service would rather say that it is busy."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
"""Two letters at least, so that ``C:`` is a disk. Also ``s3:/bucket``, which is no folder but a slip."""

KNOWN = "a folder, file:///folder or s3://bucket/prefix?endpoint=...&region=..."


@runtime_checkable
class Blobs(Protocol):
    """A store of named bytes. Every method may be called from several threads at once.

    All methods raise ``StateBusyError`` when the store does not answer, and ``StateError`` when it is set up
    wrongly, is full, or a name is not ``checked_name``.
    """

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data`` under ``name``, whole or not at all; a blob of that name is replaced.

        When it returns, the bytes outlive a power cut.
        """

    def get(self, name: str, *, max_bytes: int = MAX_BLOB_BYTES) -> bytes:
        """The bytes under ``name``; ``NotFoundError`` where there are none, ``StateError`` over the limit."""

    def delete(self, name: str) -> None:
        """Forget ``name``. It is no error when there is no such blob."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """The names in the folder ``prefix`` and below it, in no promised order; all names when empty."""

    def check(self) -> None:
        """Return when the store can be used now, otherwise raise."""


def open_blobs(url: str, *, timeout_s: float = TIMEOUT_S) -> Blobs:
    """Open a store. A folder is made when missing; a bucket has to be there.

    Args:
        url: a folder, ``file:///folder``, or ``s3://bucket/prefix?endpoint=http://host:port&region=name``.
            Credentials for S3 come from the environment (``AWS_ACCESS_KEY_ID`` and
            ``AWS_SECRET_ACCESS_KEY``) or from the machine, never from the address.
        timeout_s: how long a bucket may be silent.

    Raises:
        ConfigError: an address that cannot be understood.
        StateError: the folder cannot be made or used.
        MissingExtraError: S3 without the extra ``serve``.
    """
    if url[:5].lower() == "s3://":
        from leafsight.state.s3_blobs import open_s3_blobs

        return open_s3_blobs(url, timeout_s=timeout_s)
    from leafsight.state.folder_blobs import FolderBlobs

    return FolderBlobs(folder_of(url))


def folder_of(url: str) -> Path:
    """The folder that an address which is no bucket means.

    Raises:
        ConfigError: an address that cannot be understood.
    """
    if not url or "\0" in url:
        raise ConfigError("no place for photographs is given", hint=f"LEAFSIGHT_BLOB_URL is {KNOWN}")
    if not _SCHEME.match(url):
        with suppress(RuntimeError):  # ~somebody, who is not known: then a folder of that name
            return Path(url).expanduser()
        return Path(url)
    parts = urllib.parse.urlsplit(url)
    local = parts.scheme == "file" and parts.netloc in ("", "localhost") and not parts.query
    if not local or not parts.path or not url.partition(":")[2].startswith("//"):
        # Without the rest: there may be a password in it.
        raise ConfigError(
            f"photographs cannot be kept at '{parts.scheme}:...'", hint=f"LEAFSIGHT_BLOB_URL is {KNOWN}"
        )
    return Path(urllib.parse.unquote(parts.path))
