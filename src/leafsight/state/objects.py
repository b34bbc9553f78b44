"""Small and large objects in a bucket that speaks S3, with tags: what room ``registry`` keeps models in.

Enters: an address, names, bytes and files. Leaves: objects under the prefix of the address, and the tags
(ETag) by which a writer notices that somebody else was quicker. It does not know what the objects are. Open
it after a fork, not before: the client has threads of its own.

Conditional writes are those of S3: ``If-None-Match: *`` and ``If-Match`` on PutObject.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from leafsight.errors import ConfigError, NotFoundError, StateBusyError, StateError
from leafsight.state.blob_names import check_length, checked_name, is_name
from leafsight.state.s3_blobs import PART_BYTES, S3Blobs, open_s3_blobs

TIMEOUT_S = 5.0
"""How long a bucket may be silent."""
FETCH_BYTES = 16 * 1024**2
"""A long object comes in pieces of this size: each a request with a time limit of its own."""
THEIRS, OURS = "LEAFSIGHT_BLOB_URL", "LEAFSIGHT_REGISTRY_URL"


class Objects:
    """A bucket as room ``registry`` wants it: see ``leafsight.registry.Objects``.

    Args:
        blobs: the open bucket.
        address: without options: the same text for the same bucket and prefix.

    Attributes:
        address: the same.
    """

    def __init__(self, blobs: S3Blobs, address: str) -> None:
        self._blobs = blobs
        self._store = blobs.store
        self.address = address

    def look(self, name: str) -> tuple[str, int] | None:
        """One request without a body."""
        try:
            with self._explained(name):
                found = self._store.head(name)
        except NotFoundError:
            return None
        return _tag(found["e_tag"]), found["size"]

    def get(self, name: str, *, max_bytes: int) -> tuple[bytes, str] | None:
        """The length is looked at before the body is read."""
        try:
            with self._explained(name):
                found = self._store.get(name)
                check_length(name, found.meta["size"], max_bytes)
                return bytes(found.bytes()), _tag(found.meta["e_tag"])
        except NotFoundError:
            return None

    def put(self, name: str, data: bytes) -> None:
        """One request."""
        with self._explained(name):
            self._store.put(name, data, use_multipart=False)

    def put_if(self, name: str, data: bytes, tag: str | None) -> str | None:
        """One request; the bucket decides who was first."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            with self._explained(name):
                try:
                    if tag is None:
                        made = self._store.put(name, data, mode="create", use_multipart=False)
                    else:
                        made = self._store.put(name, data, mode={"e_tag": tag}, use_multipart=False)
                except (AlreadyExistsError, PreconditionError):
                    return None
        except NotFoundError:  # what had this tag was deleted
            return None
        return _tag(made["e_tag"])

    def send(self, name: str, path: Path) -> str:
        """Above 8 MiB in parts, four at a time; a part is tried again by itself."""
        with path.open("rb") as file, self._explained(name):
            made = self._store.put(name, file, chunk_size=PART_BYTES, max_concurrency=4)
        return _tag(made["e_tag"])

    def fetch(self, name: str, file: IO[bytes], *, max_bytes: int) -> str | None:
        """One request for each 16 MiB, all of the same object."""
        from obstore.exceptions import PreconditionError

        there = self.look(name)
        if there is None:
            return None
        tag, size_bytes = there
        check_length(name, size_bytes, max_bytes)
        try:
            for start in range(0, size_bytes, FETCH_BYTES):
                end = min(start + FETCH_BYTES, size_bytes)
                with self._explained(name):
                    try:
                        piece = self._store.get(name, options={"range": (start, end), "if_match": tag})
                        data = bytes(piece.bytes())
                    except PreconditionError as error:
                        raise StateBusyError(
                            f"{name} was replaced while it was fetched", hint="try again in a moment"
                        ) from error
                file.write(data)
        except NotFoundError:
            return None
        return tag

    def delete(self, name: str) -> None:
        """S3 answers the same whether the object was there or not."""
        with self._explained(name):
            self._blobs.delete(name)

    def list(self, folder: str) -> Iterator[tuple[str, str, int]]:
        """A thousand a request."""
        checked_name(folder)
        with self._explained(""):
            for batch in self._store.list(folder):
                for one in batch:
                    if is_name(one["path"]):
                        yield one["path"], _tag(one["e_tag"]), one["size"]

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        """As of ``S3Blobs``, with the name of our own setting in the hints."""
        if name:
            checked_name(name)
        try:
            with self._blobs._explained(name):
                yield
        except StateError as error:
            error.hint = error.hint.replace(THEIRS, OURS)
            raise


def open_objects(url: str, *, timeout_s: float = TIMEOUT_S) -> Objects:
    """Open a bucket for models; nothing is sent yet.

    Args:
        url: ``s3://bucket/prefix?endpoint=..&region=..``; the prefix may be missing. Credentials come
            from the environment, as for photographs.
        timeout_s: how long the bucket may be silent, and for how long tries are repeated.

    Raises:
        ConfigError: an address that cannot be understood, or with a password in it.
        MissingExtraError: obstore is not installed.
    """
    if url[:5].lower() != "s3://":
        raise ConfigError(
            "the registry can only lie in a bucket that speaks S3, or in the folder of the state",
            hint=f"{OURS} is s3://bucket/prefix?endpoint=http://host:port&region=name, or empty",
        )
    try:
        blobs = open_s3_blobs(url, timeout_s=timeout_s)
    except ConfigError as error:
        raise ConfigError(error.message, hint=error.hint.replace(THEIRS, OURS)) from error
    return Objects(blobs, url.partition("?")[0].rstrip("/"))


def _tag(tag: str | None) -> str:
    """The tag of an object.

    Raises:
        StateError: a store that gives none cannot keep a registry: nobody would notice a quicker one.
    """
    if not tag:
        raise StateError("the bucket gives its objects no ETag", hint="keep the registry in another store")
    return tag
