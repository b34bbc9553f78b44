"""The folder of a study: what was asked, each result as soon as it is there, raw outcomes.

DIR/study.json         what was asked, the machine, the photographs, the calibration
DIR/cells.jsonl        one line for each load, written when it has ended
DIR/ladders.json       rates that the study found for each set-up
DIR/raw/CELL.jsonl.gz  every request of it
DIR/logs/              what containers and generators said
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from leafsight.errors import ConflictError, NotFoundError
from leafsight.storage import write_text

STUDY, CELLS, LADDERS, RAW, LOGS = "study.json", "cells.jsonl", "ladders.json", "raw", "logs"


class StudyFolder:
    """One study on the disk.

    Args:
        path: its folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, asked: dict[str, Any], *, resume: bool) -> None:
        """Make the folder, or go on in it.

        Raises:
            ConflictError: a study is there and ``resume`` is not said, or another one was asked for.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        old = self._read(STUDY)
        if old is None:
            self.write_study({"asked": asked})
            return
        if not resume:
            raise ConflictError(
                f"{self.path} holds a study already",
                hint="go on with --resume, or give another folder to --out",
            )
        differ = sorted(name for name in asked if asked[name] != old["asked"].get(name))
        if differ:
            raise ConflictError(
                f"the study in {self.path} was asked with other options: {', '.join(differ)}",
                hint="resume with the same options, or give another folder to --out",
            )

    def study(self) -> dict[str, Any]:
        """What is known of the study as a whole.

        Raises:
            NotFoundError: no study is there.
        """
        found = self._read(STUDY)
        if found is None:
            raise NotFoundError(f"{self.path} holds no study", hint="give the folder of --out")
        return found

    def write_study(self, values: dict[str, Any]) -> None:
        """Replace it."""
        write_text(self.path / STUDY, json.dumps(values, indent=1) + "\n")

    def add_facts(self, **facts: Any) -> None:
        """Write down more about the study; what is there stays."""
        self.write_study(facts | self.study())

    def cells(self) -> list[dict[str, Any]]:
        """The results so far. A last line that was cut off is left out; its load is driven again."""
        path, found = self.path / CELLS, []
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
        return list({one["name"]: one for one in found}.values())

    def add_cell(self, result: dict[str, Any]) -> None:
        """Write a result down, on the disk when this returns."""
        path = self.path / CELLS
        cut = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
        with path.open("a", encoding="utf-8") as file:
            file.write(("\n" if cut else "") + json.dumps(result, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def ladders(self) -> dict[str, list[float]]:
        """Rates that were found, by the slug of the set-up."""
        return self._read(LADDERS) or {}

    def add_ladder(self, setup: str, rates: list[float]) -> None:
        """Write rates down."""
        write_text(self.path / LADDERS, json.dumps(self.ladders() | {setup: rates}, indent=1) + "\n")

    def raw(self, cell: str) -> Path:
        """The file of raw outcomes of a load."""
        return self.path / RAW / f"{cell}.jsonl.gz"

    def logs(self, name: str) -> Path:
        """A folder for what parts say."""
        return self.path / LOGS / name

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return found
