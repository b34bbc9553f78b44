"""What a fetch may do."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from leafsight.storage import ArchiveLimits, DownloadOptions


class FetchOptions(BaseModel):
    """How a collection is fetched.

    Attributes:
        licence_accepted: a person has read the licence and agrees; nothing happens without.
        archives: files that were downloaded by hand; they are not downloaded again.
        kaggle: name and key of an account, for collections that need it; never written anywhere.
        known_hashes: JSON file that keeps the hashes of files whose owner publishes none; without it every
            download of such a file is a first one.
        trusted_sha256: hashes that the person knows to be right although the catalogue says otherwise.
        download: patience and size.
        limits: what an archive may hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    licence_accepted: bool = False
    archives: tuple[Path, ...] = ()
    kaggle: tuple[str, str] | None = Field(default=None, repr=False)
    known_hashes: Path | None = None
    trusted_sha256: tuple[str, ...] = ()
    download: DownloadOptions = DownloadOptions(total_s=86_400.0)
    limits: ArchiveLimits = ArchiveLimits()
