"""Downloaders: published collections of photographs, from their address to class folders on the disk.

Enters: the name of a collection and a folder. Leaves: class folders with names that any disk can write, the
licence, the source, the hash of every file and, where there is one, the leaf map. It never runs, unpickles or
believes what comes: hashes, sizes and paths are checked. It does not know what the photographs show.
"""

from leafsight.dataset.fetching.collection_records import (
    Collection,
    Licence,
    RemoteFile,
    catalogue,
    collection_named,
)
from leafsight.dataset.fetching.fetch import fetch_collection
from leafsight.dataset.fetching.leaf_map import ClassCoverage
from leafsight.dataset.fetching.options import FetchOptions
from leafsight.dataset.fetching.papers import CheckedFile, Fetched, is_fetched

__all__ = [
    "CheckedFile",
    "ClassCoverage",
    "Collection",
    "FetchOptions",
    "Fetched",
    "Licence",
    "RemoteFile",
    "catalogue",
    "collection_named",
    "fetch_collection",
    "is_fetched",
]
