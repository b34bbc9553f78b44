"""A chunk: what one worker diagnoses without a break, and what is done again when it is lost.

Enters: names of photographs, or of one tar. Leaves: a line of JSON, and the chunk again. It opens nothing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice

from leafsight.images import PHOTO_SUFFIXES
from leafsight.storage import readable

CHUNK_PHOTOGRAPHS = 1024
"""Half a minute of a worker with the built-in model."""
BUCKET = "s3://"
UNREADABLE_FOLDER = "/"
"""Ends the name of a folder that could not be looked into."""
SHARD_SUFFIXES = frozenset({".tar", ".tgz", ".gz", ".bz2", ".xz"})
_SHARD = re.compile(r"\.(tar|tgz)$|\.tar\.(gz|bz2|xz)$", re.I)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Photographs below one root, or one tar of photographs.

    Attributes:
        root: an absolute folder, or the address of a bucket with its options.
        shown: the same as the person wrote it, without options; may be empty.
        names: below the root.
        is_shard: the only name is that of a tar.
    """

    root: str
    shown: str
    names: tuple[str, ...]
    is_shard: bool = False

    def to_line(self) -> str:
        """One line; bytes of names that are no text survive."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Chunk:
        """The inverse of ``to_line``."""
        plain = json.loads(line)
        return cls(plain["root"], plain["shown"], tuple(plain["names"]), plain["is_shard"])

    @property
    def in_bucket(self) -> bool:
        """Whether its names are of a bucket."""
        return self.root.startswith(BUCKET)

    def place(self, name: str) -> str:
        """Where the file of a name lies; not for buckets."""
        return os.path.join(self.root, name)  # noqa: PTH118 (a name may be absolute bytes that are no text)

    def photo(self, name: str) -> str:
        """How people know a name: valid Unicode."""
        name = name.rstrip(UNREADABLE_FOLDER) or name
        if self.in_bucket:
            return f"{self.shown}/{name}"
        return readable(os.path.join(self.shown, name))  # noqa: PTH118 (as place)

    def __str__(self) -> str:
        first = self.photo(self.names[0])
        return first if len(self.names) == 1 else f"{first} and {len(self.names) - 1} more"


def is_shard(name: str) -> bool:
    """Whether a file is called as a tar is, also a compressed one."""
    return _SHARD.search(name) is not None


def is_photograph(name: str) -> bool:
    """Whether a file is called as a photograph is, and not hidden."""
    last = name.rpartition("/")[2]
    return os.path.splitext(last)[1].lower() in PHOTO_SUFFIXES and not last.startswith(".")  # noqa: PTH122


def in_chunks(root: str, shown: str, names: Iterable[str], size: int = CHUNK_PHOTOGRAPHS) -> Iterator[Chunk]:
    """Names of photographs by so many, in their order; a tar is a chunk of its own."""
    shards: list[str] = []

    def photographs() -> Iterator[str]:
        for name in names:
            if is_shard(name):
                shards.append(name)
            else:
                yield name

    waiting = photographs()
    while some := tuple(islice(waiting, size)):
        yield Chunk(root, shown, some)
        yield from (Chunk(root, shown, (name,), is_shard=True) for name in shards)
        shards.clear()
    yield from (Chunk(root, shown, (name,), is_shard=True) for name in shards)
