"""What is to be diagnosed: folders, files, tars and buckets, found as a stream.

Enters: the words of a person. Leaves: chunks of names, in an order that hangs on names only. No photograph is
opened, and no more than a chunk and the names of one folder are held.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from leafsight.cluster.predicting_chunks import (
    BUCKET,
    SHARD_SUFFIXES,
    UNREADABLE_FOLDER,
    Chunk,
    in_chunks,
    is_photograph,
    is_shard,
)
from leafsight.errors import StorageError, UsageError
from leafsight.images import PHOTO_SUFFIXES, photographs_below
from leafsight.state import open_bucket_files

WANTED = PHOTO_SUFFIXES | SHARD_SUFFIXES


def check_inputs(words: Sequence[str]) -> tuple[str, ...]:
    """The words as whole paths and addresses: the same for the same photographs, wherever it is asked from.

    Raises:
        UsageError: one is no input, or holds another, whose photographs would be there twice.
        StorageError: a folder or tar is not there. A photograph that is not there gets a row.
        ConfigError: an address of a bucket that cannot be understood.
    """
    whole = []
    for word in words:
        if word == "-":
            raise UsageError("standard input is one photograph", hint="leave --cluster out")
        if word.startswith(BUCKET):
            open_bucket_files(word)
            whole.append(word.partition("?")[0].rstrip("/") + "".join(word.partition("?")[1:]))
        elif not Path(word).exists() and not is_photograph(word):
            raise StorageError(f"{word}: there is no such file or folder", hint="check the path")
        else:
            whole.append(str(Path(word).resolve()))
    _refuse_overlap(whole)
    return tuple(whole)


def find_chunks(words: Sequence[str], size: int) -> Iterator[Chunk]:
    """Every photograph of every input, once.

    Args:
        words: as a person wrote them, checked before.
        size: photographs of a chunk.

    Raises:
        UsageError: a folder or bucket holds no photographs.
        StateError: a bucket cannot be listed.
    """
    files = [word for word in words if not word.startswith(BUCKET) and not Path(word).is_dir()]
    yield from in_chunks(str(Path.cwd()), "", files, size)
    for word in words:
        if word.startswith(BUCKET):
            yield from _some(word, _in_bucket(word, size))
        elif word not in files:
            root = Path(word)
            yield from _some(word, in_chunks(str(root.resolve()), str(root), _below(root), size))


def _below(root: Path) -> Iterator[str]:
    """Names below a folder; a folder that cannot be looked into is one of them."""
    refused: list[OSError] = []
    for path in photographs_below(root, refused.append, suffixes=WANTED):
        name = str(path.relative_to(root))
        if is_photograph(name) or is_shard(name):
            yield name
    for error in refused:
        yield os.path.relpath(error.filename, root) + UNREADABLE_FOLDER


def _in_bucket(word: str, size: int) -> Iterator[Chunk]:
    address, mark, options = word.partition("?")
    above, _, last = address.rstrip("/").rpartition("/")
    if above != BUCKET.rstrip("/") and (is_photograph(last) or is_shard(last)):
        yield from in_chunks(above + mark + options, above, [last], size)
        return
    names = (name for name, _ in open_bucket_files(word).list())
    wanted = (name for name in names if is_photograph(name) or is_shard(name))
    yield from in_chunks(address.rstrip("/") + mark + options, address.rstrip("/"), wanted, size)


def _some(word: str, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The same chunks, of which there must be one."""
    none = True
    for chunk in chunks:
        none = False
        yield chunk
    if none:
        looked_for = " ".join(sorted({*PHOTO_SUFFIXES, ".tar"}))
        raise UsageError(f"no photographs in {word}", hint=f"it looks for {looked_for}")


def _refuse_overlap(whole: Sequence[str]) -> None:
    paths = [PurePosixPath(one.removeprefix(BUCKET).partition("?")[0]) for one in whole]
    seen = set()
    for path, word in zip(paths, whole, strict=True):
        if (word.startswith(BUCKET), path) in seen:
            raise UsageError(f"{word} is named twice", hint="name it once")
        seen.add((word.startswith(BUCKET), path))
    for path, word in zip(paths, whole, strict=True):
        for folder in path.parents:
            if (word.startswith(BUCKET), folder) in seen:
                raise UsageError(
                    f"{word} lies inside of {folder}, which is named, too", hint="name one of them"
                )
