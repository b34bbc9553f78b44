"""Files that are whole or not there: written beside, synced, then renamed into place.

Enters: bytes, text or plain values and a path. Leaves: a complete file, or the old one untouched and
an error that says why. It does not know what the files mean.
"""

from leafsight.storage.atomic import os_errors_translated, replacing, sync_folder, write_bytes, write_text
from leafsight.storage.plain_json import canonical_json, merged, read_json, write_json

__all__ = [
    "canonical_json",
    "merged",
    "os_errors_translated",
    "read_json",
    "replacing",
    "sync_folder",
    "write_bytes",
    "write_json",
    "write_text",
]
