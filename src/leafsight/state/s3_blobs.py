"""Blobs in a bucket that speaks S3, by obstore.

Enters: an address, names and bytes. Leaves: objects under the prefix of the address. It knows no folder and
no database. Open it after a fork, not before: the client has threads of its own.
"""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from leafsight.errors import ConfigError, NotFoundError, StateBusyError, StateError, nearest, require
from leafsight.state.blob_names import MAX_BLOB_BYTES, check_length, checked_name, is_name
from leafsight.state.s3_credentials import credentials_in_file

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

RETRIES = 2
"""Tries after the first one; the time for all of them is bounded as well."""

CONNECT_S = 2.0
WHOLE_REQUEST_S = 60.0
"""A gigabyte at 20 MB/s; a request that moves no byte is given up much earlier."""

PART_BYTES = 8 * 1024**2
"""Longer blobs go up in parts of this size, four at a time."""

OPTIONS = ("endpoint", "region")
HINT = "LEAFSIGHT_BLOB_URL is s3://bucket/prefix?endpoint=http://host:port&region=name"

_STATUS = re.compile(r"status code: (\d{3})")
_METADATA_SERVICE = "169.254.169.254"  # asked by the client only when no credentials were given
_PASSING = (408, 425, 429)


class S3Blobs:
    """See ``leafsight.state.blobs.Blobs``.

    Args:
        store: what obstore made of the address.
        bucket: its name, for messages.
    """

    def __init__(self, store: S3Store, bucket: str) -> None:
        self.store = store
        self.bucket = bucket

    def put(self, name: str, data: bytes) -> None:
        """One request; above 8 MiB in parts, which become visible together."""
        checked_name(name)
        check_length(name, len(data), MAX_BLOB_BYTES)
        with self._explained():
            self.store.put(name, data, chunk_size=PART_BYTES, max_concurrency=4)

    def get(self, name: str, *, max_bytes: int = MAX_BLOB_BYTES) -> bytes:
        """The length is looked at before the body is read."""
        checked_name(name)
        with self._explained(name):
            found = self.store.get(name)
            check_length(name, found.meta["size"], max_bytes)
            return bytes(found.bytes())

    def delete(self, name: str) -> None:
        """S3 answers the same whether the object was there or not."""
        checked_name(name)
        try:
            with self._explained(name):
                self.store.delete(name)
        except NotFoundError:
            return

    def list(self, prefix: str = "") -> Iterator[str]:
        """A thousand names a request."""
        if prefix:
            checked_name(prefix)
        with self._explained():
            for batch in self.store.list(prefix or None):
                for one in batch:
                    if is_name(one["path"]):
                        yield one["path"]

    def check(self) -> None:
        """The bucket is there and lets us list: one request for one name."""
        with self._explained():
            next(iter(self.store.list(chunk_size=1)), None)

    def written_ms(self, name: str) -> int:
        """When the store says that a blob was put: milliseconds since 1970 of its clock, to the second."""
        checked_name(name)
        with self._explained(name):
            return int(self.store.head(name)["last_modified"].timestamp() * 1000)

    @contextmanager
    def _explained(self, name: str = "") -> Iterator[None]:
        """Obstore's errors as ours, without addresses: the message may go to who sent the photograph.

        Args:
            name: of the blob that is asked for; without one, nothing can be "not found" but the bucket.
        """
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError as error:
            if name and "NoSuchBucket" not in str(error):
                raise NotFoundError(f"there is no blob {name}") from error
            raise self._no_bucket() from error
        except BaseError as error:
            raise self._meaning(str(error).partition("Debug source:")[0]) from error

    def _meaning(self, told: str) -> StateError:
        found = _STATUS.search(told)
        status = int(found[1]) if found else 0
        where = f"the bucket '{self.bucket}'"
        if _METADATA_SERVICE in told:
            return StateError(
                f"there are no credentials for {where}",
                hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        if status >= 500 or status in _PASSING:
            return StateBusyError(f"{where} answers {status}", hint="try again in a moment")
        if status in (401, 403):
            return StateError(
                f"{where} does not let us in ({status})",
                hint="check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what that user may do",
            )
        if "NoSuchBucket" in told or status == 404:
            return self._no_bucket()
        if "HTTP error" in told:
            return StateBusyError(f"{where} does not answer", hint="try again in a moment")
        return StateError(f"{where} gives no proper answer", hint="check endpoint and region in the address")

    def _no_bucket(self) -> StateError:
        return StateError(
            f"there is no bucket '{self.bucket}'", hint="make it, or correct LEAFSIGHT_BLOB_URL"
        )


def open_s3_blobs(url: str, *, timeout_s: float) -> S3Blobs:
    """Open a bucket; nothing is sent yet, ``check`` does that.

    Args:
        url: ``s3://bucket/prefix?endpoint=..&region=..``; the prefix may be missing.
        timeout_s: how long the bucket may be silent, and for how long tries are repeated.

    Raises:
        ConfigError: an address that cannot be understood, or with a password in it; a file with credentials
            that has none.
        MissingExtraError: obstore is not installed.
    """
    bucket, prefix, options = _parts(url)
    require("obstore", "serve")
    from obstore.store import S3Store

    # Not every store knows the request that deletes many at once.
    config: S3Config = {"disable_bulk_delete": True, **credentials_in_file(os.environ)}
    # What is absent is left to the environment (AWS_ENDPOINT_URL, AWS_REGION), as everywhere.
    if "endpoint" in options:
        config["endpoint"] = options["endpoint"]
    if "region" in options:
        config["region"] = options["region"]
    plain = options.get("endpoint", "").startswith("http://")
    store = S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options={
            **({"allow_http": True} if plain else {}),
            "connect_timeout": timedelta(seconds=min(CONNECT_S, timeout_s)),
            "read_timeout": timedelta(seconds=timeout_s),
            "timeout": timedelta(seconds=WHOLE_REQUEST_S),
        },
        retry_config={
            "max_retries": RETRIES,
            "retry_timeout": timedelta(seconds=timeout_s),
            "backoff": {
                "init_backoff": timedelta(milliseconds=50),
                "max_backoff": timedelta(milliseconds=500),
                "base": 2,
            },
        },
    )
    return S3Blobs(store, bucket)


def _parts(url: str) -> tuple[str, str, dict[str, str]]:
    """Bucket, prefix and options of an address."""
    try:
        parts = urllib.parse.urlsplit(url)
        pairs = urllib.parse.parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise ConfigError("the address of the bucket cannot be read", hint=HINT) from error
    if "@" in parts.netloc:
        raise ConfigError(
            "credentials do not belong into the address of a bucket",
            hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead",
        )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", parts.netloc) or parts.fragment:
        raise ConfigError("the address names no bucket", hint=HINT)
    options = dict(pairs)
    for key in options:
        if key not in OPTIONS:
            close = nearest(key, OPTIONS)
            meant = f"; did you mean '{close}'?" if close else ""
            raise ConfigError(f"the address of a bucket has no option '{key}'{meant}", hint=HINT)
    endpoint = options.get("endpoint")
    if endpoint is not None and not re.match(r"https?://[^/@]+/?$", endpoint):
        raise ConfigError("the endpoint of a bucket is http://host:port or https://host", hint=HINT)
    return parts.netloc, urllib.parse.unquote(parts.path).strip("/"), options
