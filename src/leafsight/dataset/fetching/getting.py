"""The files of a collection, downloaded or handed in, each with a hash that somebody vouches for."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from leafsight.dataset.fetching.collection_records import Collection, RemoteFile
from leafsight.dataset.fetching.known_hashes import remember, remembered
from leafsight.dataset.fetching.options import FetchOptions
from leafsight.dataset.fetching.papers import CheckedFile
from leafsight.errors import DiskFullError, StorageError, UsageError
from leafsight.progress import Progress
from leafsight.storage import (
    WebFile,
    bytes_in_words,
    download,
    file_sha256,
    os_errors_translated,
    plain_url,
)

KAGGLE_SETTINGS = "https://www.kaggle.com/settings"


def get_files(
    collection: Collection, work: Path, options: FetchOptions, day: str, progress: Progress
) -> list[tuple[RemoteFile, Path, CheckedFile]]:
    """Every file of ``collection``, on this disk and checked.

    A file without a published hash is trusted the first time; its hash goes to ``options.known_hashes`` and a
    later download must have the same.

    Args:
        collection: what is wanted.
        work: folder for downloads; what is there already is used.
        options: files handed in, credentials, hashes that the person trusts.
        day: today.
        progress: told of bytes.

    Raises:
        UsageError: an account is needed, or a file was handed in that does not belong.
        StorageError: not reachable, or another hash than stated or remembered.
        DiskFullError: too little room for what is still to come.
    """
    with os_errors_translated(work):
        work.mkdir(parents=True, exist_ok=True)
    given = _handed_in(collection, options.archives)
    missing = [file for file in collection.files if file.name not in given]
    authorization = _authorization(collection, options) if missing else None
    _check_room(collection, missing, work)
    found = []
    for file in collection.files:
        if file.name in given:
            path, url = given[file.name], ""
            sha256 = file_sha256(path)
        else:
            web = WebFile(file.urls, _expected(file, options), file.total_bytes, authorization)
            got = download(web, work / file.name, options.download, progress)
            path, sha256 = got.path, got.sha256
            url = plain_url(got.url or file.urls[0])
        known_from = _vouched(collection, file, sha256, options, day, path if url else None)
        found.append((file, path, CheckedFile(file.name, url, sha256, path.stat().st_size, known_from)))
    return found


def _handed_in(collection: Collection, archives: Sequence[Path]) -> dict[str, Path]:
    """Which of the files each archive is: by its name, else in the order of the catalogue."""
    given: dict[str, Path] = {}
    rest = []
    for path in archives:
        if not path.is_file():
            raise UsageError(f"no file {path}", hint="--from takes an archive that was downloaded by hand")
        if any(file.name == path.name for file in collection.files) and path.name not in given:
            given[path.name] = path
        else:
            rest.append(path)
    places = [file.name for file in collection.files if file.role == "archive" and file.name not in given]
    if len(rest) > len(places):
        names = ", ".join(file.name for file in collection.files) or "no files"
        raise UsageError(f"{collection.name} consists of {names}; {rest[-1]} is one too many")
    return given | dict(zip(places, rest, strict=False))


def _authorization(collection: Collection, options: FetchOptions) -> str | None:
    if collection.account != "kaggle":
        return None
    if options.kaggle is None:
        raise UsageError(
            f"{collection.name} lies on Kaggle, which wants an account",
            hint=f"make a token at {KAGGLE_SETTINGS} and set KAGGLE_USERNAME and KAGGLE_KEY; or download "
            f"{collection.homepage} by hand and run: leafsight fetch {collection.name} --from archive.zip",
        )
    return "Basic " + base64.b64encode(":".join(options.kaggle).encode()).decode()


def _expected(file: RemoteFile, options: FetchOptions) -> str | None:
    """The hash that the download must have; where the person trusts others, it is looked at afterwards."""
    return None if options.trusted_sha256 else file.sha256


def _check_room(collection: Collection, missing: Sequence[RemoteFile], work: Path) -> None:
    to_come = sum(
        (file.total_bytes or 0) - _have_bytes(work / file.name)
        for file in missing
        if file.total_bytes is not None
    )
    photographs = collection.unpacked_bytes or collection.download_bytes or 0
    free = shutil.disk_usage(work).free
    if free < to_come + photographs:
        raise DiskFullError(
            f"{collection.name} needs about {bytes_in_words(to_come + photographs)} "
            f"({bytes_in_words(to_come)} of it to download); {work.parent} has {bytes_in_words(free)} free",
            hint="free some space or give another place with --out",
        )


def _have_bytes(target: Path) -> int:
    for path in (target, target.with_name(target.name + ".part")):
        if path.is_file():
            return path.stat().st_size
    return 0


def _vouched(
    collection: Collection,
    file: RemoteFile,
    sha256: str,
    options: FetchOptions,
    day: str,
    downloaded: Path | None,
) -> str:
    """Who says that this hash is right; empty when it is trusted because it is the first.

    Raises:
        StorageError: nobody does.
    """
    if sha256 == file.sha256:
        return file.checksum_source or "the catalogue"
    # The address goes in as a hash: another address is another file, and its query may hold a secret.
    key = f"{collection.name}/{file.name}/{hashlib.sha256(file.urls[0].encode()).hexdigest()[:12]}"
    if sha256 in options.trusted_sha256:
        if options.known_hashes is not None:
            remember(options.known_hashes, key, sha256, day)
        return "whoever asked for it (--trust)"
    known = remembered(options.known_hashes, key) if options.known_hashes is not None else None
    if file.sha256 is None and known is None:
        if options.known_hashes is not None:
            remember(options.known_hashes, key, sha256, day)
        return ""
    if known is not None and known[0] == sha256:
        return f"the first download, on {known[1]}"
    if downloaded is not None:
        downloaded.unlink(missing_ok=True)
    wanted, since = (
        (file.sha256, "by the catalogue")
        if file.sha256
        else (known[0], f"on {known[1]}")
        if known
        else ("", "")
    )
    raise StorageError(
        f"{file.name} has the SHA-256 {sha256}; {since} it had {wanted}",
        hint=f"it was changed or damaged; if you know that the new one is right: --trust {sha256}",
    )
