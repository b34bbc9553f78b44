"""What can be fetched: one record a collection, read from a TOML file.

Enters: the catalogue that ships, or a file of the same form. Leaves: ``Collection`` records. It does not know
how anything is downloaded.
"""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from leafsight.errors import ConfigError, UsageError, nearest, validated
from leafsight.storage import os_errors_translated

MAX_CATALOGUE_BYTES = 1 << 20


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Licence(_Record):
    """What the source says about use: a name, where to read it, and what it asks in a sentence or two."""

    name: str = Field(min_length=1)
    address: str = Field(min_length=1)
    notice: str = ""


class RemoteFile(_Record):
    """One file of a collection and where it can be had.

    Attributes:
        name: what it is called while it is here.
        urls: addresses of the same bytes, the best first.
        role: an archive of photographs, or PlantVillage's leaf map.
        sha256: of the whole file; without it the first download is trusted and its hash kept.
        total_bytes: exact size.
        checksum_source: who states the hash.
        keep: regular expression for the names in the archive, matched whole; its one group is the name
            inside the collection. What does not match is left out.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    urls: tuple[str, ...] = Field(min_length=1)
    role: Literal["archive", "leaf_map"] = "archive"
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    total_bytes: int | None = Field(default=None, ge=1)
    checksum_source: str = ""
    keep: str = "(.+)"

    @field_validator("keep")
    @classmethod
    def _one_group(cls, keep: str) -> str:
        try:
            groups = re.compile(keep).groups
        except re.error as error:
            raise ValueError(f"a regular expression; this is none: {error}") from error
        if groups != 1:
            raise ValueError("a regular expression with exactly one group")
        return keep


class Collection(_Record):
    """A collection of photographs that somebody publishes.

    Attributes:
        name: what is typed.
        title: its proper name.
        what: what it shows, in a line.
        classes: how many, as published.
        photographs: how many, as published; what really came is counted.
        homepage: where people read about it.
        citation: whom to name.
        licence: must be agreed to before anything is downloaded.
        files: none for a set on Activeloop.
        layout: ``folders``: archives of class folders. ``cifar``: CIFAR-10's binary records, which become PNG
            files. ``hub``: a Deep Lake set at ``hub``.
        hub: address of a Deep Lake set.
        account: whose account the addresses need.
        unpacked_bytes: about how much room the photographs take, when it differs from the download.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    title: str = Field(min_length=1)
    what: str = ""
    classes: int | None = Field(default=None, ge=1)
    photographs: int | None = Field(default=None, ge=1)
    homepage: str = ""
    citation: str = ""
    licence: Licence
    files: tuple[RemoteFile, ...] = ()
    layout: Literal["folders", "cifar", "hub"] = "folders"
    hub: str = Field(default="", pattern=r"^[A-Za-z0-9:/._-]*$")
    account: Literal["", "kaggle"] = ""
    unpacked_bytes: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _has_a_source(self) -> Collection:
        if (self.layout == "hub") != bool(self.hub) or bool(self.hub) == bool(self.files):
            raise ValueError("either files, or layout = 'hub' and the address in hub")
        names = [file.name.lower() for file in self.files]
        if len(set(names)) < len(names):
            raise ValueError("files with different names")
        return self

    @property
    def download_bytes(self) -> int | None:
        """Size of all archives together; ``None`` when one is not known."""
        sizes = [file.total_bytes for file in self.files if file.role == "archive"]
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None


class _Catalogue(_Record):
    collection: tuple[Collection, ...] = ()


def catalogue(path: Path | None = None) -> tuple[Collection, ...]:
    """The collections that can be fetched.

    Args:
        path: a TOML file with ``[[collection]]`` tables instead of the catalogue that ships.

    Raises:
        ConfigError: not TOML, an unknown key, a wrong value, or a name twice; every fault at once.
        StorageError: the file cannot be read.
    """
    where = "the catalogue" if path is None else str(path)
    if path is None:
        text = files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    else:
        with os_errors_translated(path):
            if path.stat().st_size > MAX_CATALOGUE_BYTES:
                raise ConfigError(f"{path} is larger than {MAX_CATALOGUE_BYTES} bytes")
            text = path.read_text(encoding="utf-8", errors="replace")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}") from error
    found = validated(_Catalogue, values, where).collection
    names = [collection.name for collection in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{where} has two collections called '{name}'")
    return found


def collection_named(name: str, path: Path | None = None) -> Collection:
    """The collection called ``name``.

    Raises:
        UsageError: there is none; the hint names the nearest or all.
        ConfigError, StorageError: see ``catalogue``.
    """
    known = {collection.name: collection for collection in catalogue(path)}
    if name in known:
        return known[name]
    close = nearest(name, known)
    raise UsageError(
        f"no collection called '{name}'",
        hint=f"did you mean '{close}'?" if close else f"one of: {', '.join(known)}",
    )
