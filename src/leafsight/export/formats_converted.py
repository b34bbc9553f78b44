"""What every converter gives back, to be proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leafsight.evaluation import Scores


@dataclass(frozen=True, slots=True)
class Converted:
    """A model in another format, and what it says in its own runtime.

    Attributes:
        path: file or folder.
        scores: of the photographs of the proof.
        runtime: what ran it, in words.
        versions: of the libraries that made and ran it.
        as_usual: scores of the runtime with its own settings, where these calculate with fewer bits.
        how: what to open it with to get the proved answers, in words; empty where nothing is to be set.
        notes: what the libraries said that people should hear.
    """

    path: Path
    scores: Scores
    runtime: str
    versions: Mapping[str, str]
    as_usual: Scores | None = None
    how: str = ""
    notes: tuple[str, ...] = ()
