"""One row for each request: what became of it, and the file that keeps the rows.

A request is ``ok``, ``refused`` (429 or 503), or failed, as ``leafsight.loadtest.outcomes`` has it. Beside
that a row says which model answered and whether the answer was recorded.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from leafsight.loadtest.outcomes import OK, PHOTOGRAPH, REFUSED, Outcome


class Row(NamedTuple):
    """One request.

    Attributes:
        kind: ``ok``, ``refused``, or how it failed.
        begun_s: when it should have been sent, after the start of the load.
        took_s: from there to the last byte of the answer, or to the failure.
        late_s: how much later than intended it was sent.
        deed: photograph, correction or upload.
        ids: what the server said it keeps.
        told: slug of the problem document of a refusal or failure.
        about: of a correction, its prediction.
        model: hash of the model that answered.
        recorded: whether the answer says that it is kept; None where that was not asked.
    """

    kind: str
    begun_s: float
    took_s: float
    late_s: float = 0.0
    deed: str = PHOTOGRAPH
    ids: tuple[str, ...] = ()
    told: str = ""
    about: str = ""
    model: str = ""
    recorded: bool | None = None

    @property
    def is_bad(self) -> bool:
        """Whether a caller did not get what was asked for."""
        return self.kind != OK

    @property
    def failed(self) -> bool:
        """Neither answered nor refused."""
        return self.kind not in (OK, REFUSED)

    @property
    def at_s(self) -> float:
        """When it ended."""
        return self.begun_s + self.took_s

    def as_outcome(self) -> Outcome:
        """As the search for lost things reads it."""
        return Outcome(
            self.kind,
            self.begun_s,
            self.took_s,
            deed=self.deed,
            ids=self.ids,
            told=self.told,
            about=self.about,
        )


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Keep them as gzipped JSON lines."""
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, separators=(",", ":")) + "\n")


def read_rows(path: Path) -> list[Row]:
    """The rows of a file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        values = [json.loads(line) for line in file]
    return [Row(*one)._replace(ids=tuple(one[5])) for one in values]
