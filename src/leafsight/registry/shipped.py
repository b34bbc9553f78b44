"""The built-in model as an entry: always there, never copied.

Enters: nothing. Leaves: its entry, or None where an installation came without it. It does not know
the folder.
"""

from __future__ import annotations

from leafsight.bundle import builtin_bundle_path, open_bundle
from leafsight.errors import BundleError, StorageError
from leafsight.registry.records import Entry


def builtin_entry() -> Entry | None:
    """The entry of the built-in model, verified; None when there is none that can be used."""
    try:
        path = builtin_bundle_path()
        bundle = open_bundle(path)
        size_bytes = path.stat().st_size
    except (BundleError, StorageError, OSError):
        return None
    note = "ships with leafsight"
    return Entry(bundle.content_hash, bundle.name, 0, size_bytes, len(bundle.labels), note, builtin=True)
