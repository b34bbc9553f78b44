"""How a copy is made."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class CopyOptions(BaseModel):
    """What a copy holds and how it lies on the disk.

    Attributes:
        layout: ``folders`` makes ``split/class/file``, ``shards`` makes WebDataset tars.
        link: ``hard`` gives a photograph a second name where the disk can do that, ``copy`` writes it anew.
        clean: leave out faulty photographs and exact duplicates.
        max_shard_bytes: a shard is closed before it would become larger; one photograph may be more.
        force: replace an earlier copy in the same folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: Literal["folders", "shards"] = "folders"
    link: Literal["hard", "copy"] = "hard"
    clean: bool = False
    max_shard_bytes: int = Field(default=500_000_000, ge=1_000_000)
    force: bool = False
