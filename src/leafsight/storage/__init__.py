"""Files that are whole or not there: written beside, synced, then renamed into place; also from the web.

Enters: bytes, text, plain values or addresses, and a path. Leaves: a complete file, or the old one untouched
and an error that says why; the files inside an archive; how many cores a process may use. It does not know
what the files mean. Downloading and unpacking are loaded when they are asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.storage.atomic import os_errors_translated, replacing, sync_folder, write_bytes, write_text
from leafsight.storage.hashing import file_sha256
from leafsight.storage.locking import holding
from leafsight.storage.plain_json import canonical_json, merged, read_json, write_json

if TYPE_CHECKING:
    from leafsight.storage.addresses import check_address
    from leafsight.storage.archive_members import is_packed, members_of
    from leafsight.storage.archive_rules import ArchiveLimits, Member, Readable
    from leafsight.storage.cores import available_cores, cpu_quota
    from leafsight.storage.disks import is_network, is_there, kind_of_disk, may_be_made, nearest_there
    from leafsight.storage.downloading import Downloaded, DownloadOptions, WebFile, download
    from leafsight.storage.minded import mind
    from leafsight.storage.names import free_name, is_litter, readable
    from leafsight.storage.pace import bytes_in_words
    from leafsight.storage.part_file import plain_url

_HOME = {
    "ArchiveLimits": "archive_rules",
    "DownloadOptions": "downloading",
    "Downloaded": "downloading",
    "Member": "archive_rules",
    "Readable": "archive_rules",
    "WebFile": "downloading",
    "available_cores": "cores",
    "cpu_quota": "cores",
    "bytes_in_words": "pace",
    "check_address": "addresses",
    "download": "downloading",
    "free_name": "names",
    "is_litter": "names",
    "is_network": "disks",
    "is_packed": "archive_members",
    "is_there": "disks",
    "kind_of_disk": "disks",
    "members_of": "archive_members",
    "may_be_made": "disks",
    "mind": "minded",
    "nearest_there": "disks",
    "plain_url": "part_file",
    "readable": "names",
}

__all__ = [
    "ArchiveLimits",
    "DownloadOptions",
    "Downloaded",
    "Member",
    "Readable",
    "WebFile",
    "available_cores",
    "bytes_in_words",
    "canonical_json",
    "check_address",
    "cpu_quota",
    "download",
    "file_sha256",
    "free_name",
    "holding",
    "is_litter",
    "is_network",
    "is_packed",
    "is_there",
    "kind_of_disk",
    "members_of",
    "may_be_made",
    "merged",
    "mind",
    "nearest_there",
    "os_errors_translated",
    "plain_url",
    "read_json",
    "readable",
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
