"""Weights from the web into a cache folder: resumed, checked by hash, put in place at once."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from leafsight.errors import StorageError, UsageError
from leafsight.progress import Progress, Silent
from leafsight.storage import os_errors_translated, sync_folder

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 30.0
MAX_DOWNLOAD_BYTES = 512 * 1024 * 1024
PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 206, 416


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https only; urllib alone would follow one to ftp."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


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
    final name only after its hash was right.

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
    _check_address(url)
    if len(sha256) != 64 or set(sha256.lower()) - set("0123456789abcdef"):
        raise UsageError(f"the download of {url} needs the SHA-256 of the file, got '{sha256}'")
    sha256 = sha256.lower()
    name = Path(urllib.parse.unquote(urllib.parse.urlsplit(url).path)).name or "weights"
    target = cache_dir / f"{sha256[:16]}-{name[-100:]}"
    with os_errors_translated(cache_dir):
        cache_dir.mkdir(parents=True, exist_ok=True)
    if target.is_file() and file_sha256(target) == sha256:
        return target
    part = target.with_name(target.name + ".part")
    resumed = part.is_file() and part.stat().st_size > 0
    _download(url, part, progress or Silent(), max_bytes)
    if file_sha256(part) != sha256 and resumed:
        # The first half may be of an older file; a fresh start decides.
        part.unlink()
        _download(url, part, progress or Silent(), max_bytes)
    found = file_sha256(part)
    if found != sha256:
        part.unlink()
        raise StorageError(
            f"{url} has the SHA-256 {found}, not {sha256}", hint="the file was changed or the hash is wrong"
        )
    with os_errors_translated(target):
        part.replace(target)
        sync_folder(cache_dir)
    return target


def _check_address(url: str) -> None:
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise UsageError(f"cannot download from {url}", hint="only http and https addresses are followed")


def _download(url: str, part: Path, progress: Progress, max_bytes: int) -> None:
    """Fill ``part`` from where it ends; what has come stays there when the connection breaks."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "leafsight"})  # noqa: S310 (scheme checked)
    if have:
        request.add_header("Range", f"bytes={have}-")
    opener = urllib.request.build_opener(_WebOnly)
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            _receive(response, part, have, progress, max_bytes)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != RANGE_NOT_SATISFIABLE or not have:
            raise StorageError(f"{url}: the server answered {error.code} {error.reason}") from error
        # The part is complete already (or longer than the file, which its hash will tell).
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise StorageError(
            f"{url}: {error}", hint="run the command again: the download goes on where it stopped"
        ) from error


def _receive(response: HTTPResponse, part: Path, have: int, progress: Progress, max_bytes: int) -> None:
    if response.status != PARTIAL_CONTENT:
        have = 0
    announced = response.headers.get("Content-Length", "")
    total = have + int(announced) if announced.isdigit() else None
    if total is not None and total > max_bytes:
        raise StorageError(f"{response.url} holds {total} bytes, more than the limit of {max_bytes}")
    progress.start(f"downloading {part.name.removesuffix('.part')}", total)
    progress.advance(have)
    with os_errors_translated(part), part.open("ab" if have else "wb") as file:
        while chunk := response.read(CHUNK_BYTES):
            have += len(chunk)
            if have > max_bytes:
                raise StorageError(f"{response.url} holds more than the limit of {max_bytes} bytes")
            file.write(chunk)
            progress.advance(len(chunk))
        file.flush()
        os.fsync(file.fileno())
    progress.finish()
    if total is not None and have < total:
        raise StorageError(
            f"{response.url}: the connection ended after {have} of {total} bytes",
            hint="run the command again: the download goes on where it stopped",
        )


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with os_errors_translated(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
