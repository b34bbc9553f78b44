"""Files that are whole or not there: written beside, synced, then renamed into place; also from the web.

Enters: bytes, text, plain values or addresses, and a path. Leaves: a complete file, or the old one untouched
and an error that says why. It does not know what the files mean. Downloading is loaded when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.storage.atomic import os_errors_translated, replacing, sync_folder, write_bytes, write_text
from leafsight.storage.hashing import file_sha256
from leafsight.storage.locking import holding
from leafsight.storage.plain_json import canonical_json, merged, read_json, write_json

if TYPE_CHECKING:
    from leafsight.storage.addresses import check_address
    from leafsight.storage.downloading import Downloaded, DownloadOptions, WebFile, download
    from leafsight.storage.pace import bytes_in_words
    from leafsight.storage.part_file import plain_url

_HOME = {
    "DownloadOptions": "downloading",
    "Downloaded": "downloading",
    "WebFile": "downloading",
    "bytes_in_words": "pace",
    "check_address": "addresses",
    "download": "downloading",
    "plain_url": "part_file",
}

__all__ = [
    "DownloadOptions",
    "Downloaded",
    "WebFile",
    "bytes_in_words",
    "canonical_json",
    "check_address",
    "download",
    "file_sha256",
    "holding",
    "merged",
    "os_errors_translated",
    "plain_url",
    "read_json",
    "replacing",
    "sync_folder",
    "write_bytes",
    "write_json",
    "write_text",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
