"""The files of the page, read when they are first asked for, and kept.

Enters: a name. Leaves: a file of the folder ``files``, and nothing else of any disk: a name is looked up in
the folder's list, never joined to a path. It does not know HTTP.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePath

INDEX = "index.html"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page.

    Attributes:
        name: without a folder.
        media_type: for the header Content-Type.
        body: as it is on disk.
        packed: the same, by gzip.
        etag: a quoted entity tag of ``body``; another one whenever a byte differs.
    """

    name: str
    media_type: str
    body: bytes
    packed: bytes
    etag: str


def page_names() -> tuple[str, ...]:
    """Names of all files, sorted."""
    return tuple(sorted(_listed()))


def page_file(name: str) -> PageFile | None:
    """A file of the page; ``None`` when the page has none of that name."""
    return _read(name) if name in _listed() else None


@cache
def _listed() -> dict[str, Traversable]:
    folder = resources.files("leafsight.web") / "files"
    return {
        entry.name: entry
        for entry in folder.iterdir()
        if PurePath(entry.name).suffix in MEDIA_TYPES and entry.is_file()
    }


@cache
def _read(name: str) -> PageFile:
    """Called with listed names only, so that what is kept is bounded."""
    body = _listed()[name].read_bytes()
    return PageFile(
        name=name,
        media_type=MEDIA_TYPES[PurePath(name).suffix],
        body=body,
        packed=gzip.compress(body, compresslevel=6, mtime=0),
        etag=f'"{sha256(body).hexdigest()[:32]}"',
    )
