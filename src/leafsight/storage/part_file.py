"""The bytes of a file that have come so far, and a note on which version of the file they are of."""

from __future__ import annotations

import json
import urllib.parse
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path

from leafsight.storage.atomic import os_errors_translated, write_text

MAX_NOTE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Version:
    """What a server said of a file: enough to ask later for the rest of the very same one.

    Attributes:
        url: who said it, without query: signed links change from hour to hour.
        validator: a strong ETag or a date of change, as ``If-Range`` takes it; empty when none was given.
        total_bytes: size of the whole file, when known.
    """

    url: str
    validator: str
    total_bytes: int | None


def version_of(url: str, headers: HTTPMessage, total_bytes: int | None) -> Version:
    """The version that an answer is of. A weak ETag does not do: it allows other bytes (RFC 9110, 8.8.1)."""
    etag = headers.get("ETag", "")
    strong = etag if etag.startswith('"') else ""
    return Version(plain_url(url), strong or headers.get("Last-Modified", ""), total_bytes)


def plain_url(url: str) -> str:
    """The address without query and fragment, where signatures and tokens stand."""
    return urllib.parse.urlunsplit((*urllib.parse.urlsplit(url)[:3], "", ""))


class PartFile:
    """``NAME.part`` and, where a server names versions, ``NAME.part.json``."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(target.name + ".part")
        self._note = target.with_name(target.name + ".part.json")

    def size_bytes(self) -> int:
        """How much has come; 0 when there is nothing."""
        with suppress(FileNotFoundError), os_errors_translated(self.path):
            if self.path.is_file():
                return self.path.stat().st_size
        return 0

    def version(self) -> Version | None:
        """What the bytes are of; ``None`` when nobody said or the note cannot be read."""
        try:
            if self._note.stat().st_size > MAX_NOTE_BYTES:
                return None
            value = json.loads(self._note.read_text(encoding="utf-8"))
            url, validator, total = value["url"], value["validator"], value["total_bytes"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        fine = isinstance(url, str) and isinstance(validator, str) and isinstance(total, int | None)
        return Version(url, validator, total) if fine else None

    def remember(self, version: Version) -> None:
        """Write the note, unless the server gave nothing to hold on to."""
        if version.validator:
            plain = {
                "url": version.url,
                "validator": version.validator,
                "total_bytes": version.total_bytes,
            }
            write_text(self._note, json.dumps(plain))
        else:
            self._note.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove both: the next attempt starts at the first byte."""
        with os_errors_translated(self.path):
            self.path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """Take the final name."""
        with os_errors_translated(target):
            self.path.replace(target)
            self._note.unlink(missing_ok=True)
