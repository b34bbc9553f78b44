"""Files that other programs put into a bucket that speaks S3, to be read only.

Enters: an address, and names of any kind. Leaves: names with sizes, and bytes. It knows no photograph, and
writes nothing. Open it after a fork, not before: the client has threads of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leafsight.errors import ConfigError, NotFoundError, StateBusyError, StateError
from leafsight.state.s3_blobs import S3Blobs, open_s3_blobs

TIMEOUT_S = 20.0
"""How long a bucket may be silent."""
FETCH_BYTES = 16 * 1024**2
"""A long file comes in pieces of this size: each a request with a time limit of its own."""
THEIRS, OURS = "LEAFSIGHT_BLOB_URL", "the address"


class BucketFiles:
    """What lies below the prefix of an address.

    Args:
        blobs: the open bucket.
    """

    def __init__(self, blobs: S3Blobs) -> None:
        self._blobs = blobs
        self._store = blobs.store

    def list(self) -> Iterator[tuple[str, int]]:
        """Names below the prefix, and bytes of each; a thousand a request.

        Raises:
            StateError: the bucket is not there, or does not let us in; ``StateBusyError`` when it is silent.
        """
        with self._explained(""):
            for batch in self._store.list():
                for one in batch:
                    yield one["path"], one["size"]

    def size_bytes(self, name: str) -> int:
        """How long a file is; one request without a body.

        Raises:
            NotFoundError: there is none.
            StateError: as ``list``, also where this file alone is refused.
        """
        with self._explained(name):
            return int(self._store.head(name)["size"])

    def get(self, name: str, *, max_bytes: int) -> bytes:
        """The bytes of a file, and of a longer one than ``max_bytes`` so many and one more.

        Raises:
            NotFoundError, StateError: as ``size_bytes``.
        """
        with self._explained(name):
            found = self._store.get(name)
            if found.meta["size"] > max_bytes:
                return bytes(self._store.get_range(name, start=0, length=max_bytes + 1))
            return bytes(found.bytes())

    def fetch(self, name: str, path: Path) -> None:
        """Write a file of any length to ``path``, piece by piece.

        Raises:
            NotFoundError, StateError: as ``size_bytes``; ``StateBusyError`` when it was replaced, too.
        """
        from obstore.exceptions import PreconditionError

        with path.open("wb") as file, self._explained(name):
            about = self._store.head(name)
            for start in range(0, about["size"], FETCH_BYTES):
                end = min(start + FETCH_BYTES, about["size"])
                try:
                    piece = self._store.get(name, options={"range": (start, end), "if_match": about["e_tag"]})
                    data = bytes(piece.bytes())
                except PreconditionError as error:
                    raise StateBusyError(
                        f"{name} was replaced while it was fetched", hint="try again in a moment"
                    ) from error
                file.write(data)

    def check(self) -> None:
        """The bucket is there and lets us list.

        Raises:
            StateError: as ``list``.
        """
        with self._explained(""):
            self._blobs.check()

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        """As of ``S3Blobs``, with words for who gave the address."""
        try:
            with self._blobs._explained(name):
                yield
        except NotFoundError as error:
            raise NotFoundError(f"there is no {name} in the bucket '{self._blobs.bucket}'") from error
        except StateError as error:
            error.hint = error.hint.replace(THEIRS, OURS)
            raise


def open_bucket_files(url: str, *, timeout_s: float = TIMEOUT_S) -> BucketFiles:
    """Open a bucket for reading; nothing is sent yet, ``check`` does that.

    Args:
        url: ``s3://bucket/prefix?endpoint=..&region=..``; the prefix is a folder and may be missing.
            Credentials come from the environment.
        timeout_s: how long the bucket may be silent, and for how long tries are repeated.

    Raises:
        ConfigError: an address that cannot be understood, or with a password in it.
        MissingExtraError: obstore is not installed.
    """
    try:
        return BucketFiles(open_s3_blobs(url, timeout_s=timeout_s))
    except ConfigError as error:
        raise ConfigError(error.message, hint=error.hint.replace(THEIRS, OURS)) from error
