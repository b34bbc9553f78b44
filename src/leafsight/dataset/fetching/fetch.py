"""A collection from its address to a folder of class folders: whole or not at all, and only once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from leafsight import __version__
from leafsight.dataset.fetching.arranging import arrange, map_leaves, named
from leafsight.dataset.fetching.collection_records import Collection
from leafsight.dataset.fetching.getting import get_files
from leafsight.dataset.fetching.hub import fetch_hub_set
from leafsight.dataset.fetching.one_at_a_time import only_one
from leafsight.dataset.fetching.options import FetchOptions
from leafsight.dataset.fetching.papers import (
    CheckedFile,
    Fetched,
    NamedFile,
    class_of,
    counted_classes,
    is_fetched,
    verify,
    write_papers,
)
from leafsight.dataset.fetching.unpacking import Store, unpack
from leafsight.errors import DatasetError, UsageError
from leafsight.progress import Progress, Silent
from leafsight.storage import os_errors_translated, sync_folder, write_text


def fetch_collection(
    collection: Collection,
    folder: Path,
    options: FetchOptions | None = None,
    progress: Progress | None = None,
) -> Fetched:
    """The collection in ``folder``; when it is there already, it is verified and nothing else happens.

    Downloads and unpacked files lie in ``FOLDER.fetching`` until all is done; then the folder appears at
    once. A killed fetch goes on where the download was.

    Args:
        collection: what is wanted.
        folder: where it goes; must not exist, or be empty, or hold this very collection.
        options: the licence must be accepted in them.
        progress: told of bytes while downloading, of files afterwards.

    Returns:
        What is there now, with counts, names changed, hashes and the reach of the leaf map.

    Raises:
        UsageError: the licence is not accepted, or an account is needed.
        DatasetError: something else is in the folder, a finished collection was changed, another fetch is at
            work, or an archive is refused.
        StorageError: no address gave a file, or a hash is not the one that is known.
        MissingExtraError: the collection needs deeplake.
        DiskFullError, PermissionDeniedError: here, not there.
    """
    options, progress = options or FetchOptions(), progress or Silent()
    folder = folder.absolute()
    if is_fetched(folder):
        return verify(folder, collection, progress)
    _check_place(folder)
    if collection.hub and options.archives:
        raise UsageError(f"{collection.name} is no archive; --from does not go with it")
    if not options.licence_accepted:
        raise UsageError(
            f"{collection.title}: the licence ({collection.licence.name}) was not accepted",
            hint=f"read {collection.licence.address} and say --accept-licence",
        )
    work = folder.with_name(folder.name + ".fetching")
    with os_errors_translated(work):
        work.mkdir(parents=True, exist_ok=True)
    with only_one(work):
        _claim(work, collection.name)
        day = datetime.now(UTC).date().isoformat()
        fetched, names = _make(collection, work, folder, options, day, progress)
        made = work / "collection"
        write_papers(fetched, names, collection, made, day, __version__)
        _put_in_place(made, folder)
    shutil.rmtree(work, ignore_errors=True)
    return fetched


def _check_place(folder: Path) -> None:
    with os_errors_translated(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DatasetError(
                f"{folder} is there already and is not this collection",
                hint="give another folder with --out; nothing is ever overwritten",
            )


def _claim(work: Path, name: str) -> None:
    """What another collection left in the same place is of no use to this one."""
    note = work / "collection.txt"
    with os_errors_translated(work):
        if note.is_file() and note.read_text(encoding="utf-8", errors="replace") == name:
            return
        for leftover in ("collection", "unpacked", "downloads"):
            shutil.rmtree(work / leftover, ignore_errors=True)
    write_text(note, name)


def _make(
    collection: Collection, work: Path, folder: Path, options: FetchOptions, day: str, progress: Progress
) -> tuple[Fetched, list[NamedFile]]:
    """Build the folder of the collection in ``work``."""
    made = work / "collection"
    store = Store(work / "unpacked")
    checked: list[CheckedFile] = []
    leaf_map = None
    if collection.hub:
        names = named(fetch_hub_set(collection.hub, made, progress))
    else:
        with _emptied(made, store.folder):
            got = get_files(collection, work / "downloads", options, day, progress)
            checked = [one for _, _, one in got]
            for file, path, _ in got:
                if file.role == "archive":
                    unpack(path, file.keep, store, options.limits, progress)
                else:
                    leaf_map = path
            names = arrange(collection, store, made, progress)
    coverage = map_leaves(leaf_map, names, made) if leaf_map is not None else ()
    is_same = collection.layout != "folders"
    fetched = Fetched(
        collection.name,
        folder,
        is_new=True,
        photographs=sum(class_of(one.path) is not None for one in names),
        classes=counted_classes(names),
        renamed=0 if is_same else sum(one.original != one.path for one in names),
        left_out=store.left_out + store.twice,
        files=tuple(checked),
        coverage=coverage,
    )
    return fetched, names


@contextmanager
def _emptied(*folders: Path) -> Iterator[None]:
    """Fresh folders; on any error they go, so that a refused archive leaves nothing. Downloads stay."""
    try:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
            with os_errors_translated(folder):
                folder.mkdir(parents=True)
        yield
    except BaseException:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _put_in_place(made: Path, folder: Path) -> None:
    with os_errors_translated(folder):
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
        sync_folder(folder.parent)
