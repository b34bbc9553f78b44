"""Reports on a collection: pages, pictures and numbers in the store, for every copy of the service.

Enters: files under names that we made, and a summary. Leaves: the same again, and nothing that the manifest
does not name. It does not know how a report is made.

The manifest is written last: a report without one is not finished, or is being removed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leafsight.errors import NotFoundError

if TYPE_CHECKING:
    from leafsight.state import Blobs

FOLDER = "reports"
MANIFEST, SUMMARY = "manifest.json", "summary.json"
KEPT_OF_A_COLLECTION = 5
MEDIA_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json", ".png": "image/png"}
FILE_NAME = r"^[a-z0-9][a-z0-9-]{0,79}\.(html|json|png)$"
MAX_MANIFEST_BYTES = 1024**2
MAX_SUMMARY_BYTES = 16 * 1024**2
MAX_FILE_BYTES = 256 * 1024**2
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One file of a report."""

    name: str
    media_type: str
    data: bytes


class Reports:
    """All reports of a store.

    Args:
        blobs: the store.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def ids(self) -> list[str]:
        """Of finished reports, newest first.

        Raises:
            StateBusyError, StateError: the store does not answer.
        """
        found = (name.split("/") for name in self._blobs.list(FOLDER))
        finished = {parts[1] for parts in found if len(parts) == 3 and parts[2] == MANIFEST}
        return sorted((one for one in finished if _ID.fullmatch(one)), reverse=True)

    def manifest(self, report: str) -> dict[str, Any]:
        """What a report is about, and its files.

        Raises:
            NotFoundError: there is no such report.
            StateBusyError, StateError: the store does not answer.
        """
        return self._json(report, MANIFEST, MAX_MANIFEST_BYTES)

    def summary(self, report: str) -> dict[str, Any]:
        """Its findings and figures as plain values.

        Raises:
            NotFoundError: there is no such report.
            StateBusyError, StateError: the store does not answer.
        """
        self.manifest(report)
        return self._json(report, SUMMARY, MAX_SUMMARY_BYTES)

    def check(self, report: str, name: str) -> str:
        """The media type of a file that the manifest names.

        Raises:
            NotFoundError: there is no such report, or it has no such file.
            StateBusyError, StateError: the store does not answer.
        """
        known = self.manifest(report)["files"].get(name)
        if known is None:
            raise NotFoundError(
                f"this report has no file {name[:80]!r}", hint="its files stand in /v1/reports/{id}"
            )
        return str(known["media_type"])

    def file(self, report: str, name: str) -> ReportFile:
        """A file that the manifest names.

        Raises:
            NotFoundError: there is no such report, or it has no such file.
            StateBusyError, StateError: the store does not answer.
        """
        media_type = self.check(report, name)
        data = self._blobs.get(f"{FOLDER}/{report}/{name}", max_bytes=MAX_FILE_BYTES)
        return ReportFile(name, media_type, data)

    def put(self, report: str, files: Mapping[str, bytes]) -> dict[str, Any]:
        """Keep files; what the manifest says of them."""
        for name, data in files.items():
            self._blobs.put(f"{FOLDER}/{report}/{name}", data)
        return {
            name: {"media_type": MEDIA_TYPES[f".{name.rpartition('.')[2]}"], "bytes": len(data)}
            for name, data in sorted(files.items())
        }

    def finish(self, report: str, manifest: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
        """From now on the report is there."""
        self._blobs.put(f"{FOLDER}/{report}/{SUMMARY}", _bytes(summary))
        self._blobs.put(f"{FOLDER}/{report}/{MANIFEST}", _bytes(manifest))

    def remove(self, report: str) -> None:
        """First the manifest, so that nobody finds a report of which a half is gone."""
        self._blobs.delete(f"{FOLDER}/{report}/{MANIFEST}")
        for name in list(self._blobs.list(f"{FOLDER}/{report}")):
            self._blobs.delete(name)

    def forget_old(self, under_way: Iterable[str]) -> int:
        """Remove all but the newest of each collection, and what was never finished; how many.

        Args:
            under_way: ids of reports that somebody is making now.
        """
        of: dict[str, int] = {}
        removed = 0
        finished = self.ids()
        for report in finished:
            collection = str(self.manifest(report).get("collection_id"))
            of[collection] = of.get(collection, 0) + 1
            if of[collection] > KEPT_OF_A_COLLECTION:
                self.remove(report)
                removed += 1
        halves = {name.split("/")[1] for name in self._blobs.list(FOLDER)} - {*finished, *under_way}
        for report in halves:
            self.remove(report)
        return removed + len(halves)

    def _json(self, report: str, name: str, max_bytes: int) -> dict[str, Any]:
        try:
            said = json.loads(self._blobs.get(f"{FOLDER}/{report}/{name}", max_bytes=max_bytes))
        except NotFoundError as error:
            raise NotFoundError(
                f"there is no report {report}",
                hint="the newest five of a collection are kept; see /v1/reports",
            ) from error
        assert isinstance(said, dict)
        return said


def collection_id(source: str) -> str:
    """Which collection a report is about, without the path in it."""
    return hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _bytes(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True, allow_nan=False).encode()
