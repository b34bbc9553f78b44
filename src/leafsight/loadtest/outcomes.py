"""What became of single requests: one row each, in exactly one place, and the files that keep them.

Enters: rows. Leaves: a compressed file of JSON lines, and the rows again. It knows nothing of HTTP.

A request is ``ok``, ``refused`` (429 or 503: "not now"), or failed; then its kind says how:

- ``status 500`` and so on: a complete answer with another status.
- ``timeout``: no complete answer within the limit, counted from the intended send time.
- ``connect``, ``cut``, ``stale``, ``malformed``, ``unsent``: see ``wire`` and ``driving``.
- ``no json``, ``incomplete``: an answer with status 200 that does not hold what was asked for.
- ``wrong``: the answer is not the one that this photograph has.
- ``mixed up``: the answer is that of another photograph. The worst of all.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

OK, REFUSED = "ok", "refused"
WRONG, MIXED_UP, INCOMPLETE, NO_JSON = "wrong", "mixed up", "incomplete", "no json"
WRONG_KINDS = (WRONG, MIXED_UP, INCOMPLETE, NO_JSON)
REFUSALS = (429, 503)
PHOTOGRAPH, BURST, PLANT, CORRECTION, UPLOAD, LOOK = (
    "photograph", "burst", "plant", "correction", "upload", "look",
)  # fmt: skip
DEEDS = (PHOTOGRAPH, BURST, PLANT, CORRECTION, UPLOAD, LOOK)


class Outcome(NamedTuple):
    """One request.

    Attributes:
        kind: see above.
        begun_s: when it should have been sent, after the start of the load; in a closed loop when it was.
        took_s: from there to the last byte of the answer, or to the failure.
        late_s: how much later than intended the generator sent it.
        deed: one of ``DEEDS``.
        size: of its photograph, as the mix names it; empty for several or none.
        server: number of the address that was asked.
        ids: what the server said it keeps: predictions, a correction, an upload.
        told: of a refusal or failure, the slug of its problem document, if it had one.
        about: of a correction, the prediction that it is about.
    """

    kind: str
    begun_s: float
    took_s: float
    late_s: float = 0.0
    deed: str = PHOTOGRAPH
    size: str = ""
    server: int = 0
    ids: tuple[str, ...] = ()
    told: str = ""
    about: str = ""

    @property
    def failed(self) -> bool:
        """Neither answered nor refused."""
        return self.kind not in (OK, REFUSED)


def kind_of(status: int) -> str:
    """Where an answer with this status is counted, as long as nobody has read it."""
    if 200 <= status < 300:
        return OK
    return REFUSED if status in REFUSALS else f"status {status}"


def write_outcomes(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Keep every row, as gzipped JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=6) as file:
        for one in outcomes:
            file.write(json.dumps(as_row(one), separators=(",", ":")) + "\n")


def as_row(outcome: Outcome) -> list[Any]:
    """The outcome as a JSON list, times to the microsecond."""
    row: list[Any] = list(outcome)
    row[1:4] = [round(value, 6) for value in row[1:4]]
    row[7] = list(outcome.ids)
    return row


def from_row(row: list[Any]) -> Outcome:
    """The outcome that a JSON list was."""
    row = [*row]
    row[7] = tuple(row[7])
    return Outcome(*row)


def read_outcomes(path: Path) -> list[Outcome]:
    """The rows of a file; a last line that was cut off is left out."""
    found: list[Outcome] = []
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        try:
            for line in file:
                found.append(from_row(json.loads(line)))  # noqa: PERF401 (what was read before a fault is kept)
        except (EOFError, ValueError):
            return found
    return found
