"""Takes answers out of the window: as a table for spreadsheets, or as photographs sorted into folders.

Enters: photographs with their answers and with what a person said of them. Leaves: one CSV file, whole or
not there; or copies of the photographs, none of which took the place of another file. It does not know how
answers are found, and it never changes or moves a photograph.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO

from leafsight.desktop.session.wording import basis, plain_confidence
from leafsight.inference import Combined, Prediction
from leafsight.storage import os_errors_translated, readable, replacing

TITLES = (
    "photograph", "verdict", "diagnosis", "key", "probability", "sureness", "cannot_be_excluded",
    "crop_given", "corrected_to", "reason", "hint", "model", "model_hash", "person_says", "plant",
    "plant_verdict", "plant_diagnosis", "plant_key", "plant_probability", "plant_sureness",
    "plant_cannot_be_excluded", "plant_rests_on", "plant_reason",
)  # fmt: skip
# Without it spreadsheets take UTF-8 for something else.
BYTE_ORDER_MARK = "\ufeff"
# What makes a spreadsheet take a cell for a formula; a line feed as well, as in the table of the web page.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
LONGEST_NAME_BYTES = 255
PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Exported:
    """A photograph with its answer.

    Attributes:
        path: where the photograph lies.
        prediction: what the model says.
        correction: the key of the class that a person said, such as ``tomato/early_blight``; None when
            nobody said anything.
        plant: number of the plant that it shows with others; None where nobody said so.
        combined: what the model says of that plant; None while it waits.
    """

    path: Path
    prediction: Prediction
    correction: str | None
    plant: int | None = None
    combined: Combined | None = None

    @property
    def said(self) -> str:
        """What a person says of the answer: ``right``, ``corrected``, or nothing."""
        if self.correction is None:
            return ""
        return "right" if self.correction == self.prediction.key else "corrected"


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of the photographs that were to be copied.

    Attributes:
        copied: how many were written now.
        there_already: how many lay in their folder with the same bytes.
        missing: those that are gone or cannot be read any more.
    """

    copied: int
    there_already: int
    missing: tuple[Path, ...]


def write_csv(rows: Sequence[Exported], target: Path) -> int:
    """Write the answers as a table (RFC 4180, UTF-8 with a byte order mark), one line a photograph.

    Probabilities are numbers; every other cell is text, and none of them runs as a formula.

    Args:
        rows: in the order in which they are written.
        target: the file; one that is there is replaced once the new one is whole.

    Returns:
        How many photographs were written.

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: the table cannot be written; an old file stays.
    """
    with replacing(target, "w") as file:
        file.write(BYTE_ORDER_MARK)
        # All texts in quotes: spreadsheets that part cells by ";" would otherwise find a cell within a cell.
        table = csv.writer(file, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
        table.writerow(TITLES)
        for row in rows:
            table.writerow([_cell(value) for value in _values(row)])
    return len(rows)


def copy_into_folders(rows: Sequence[Exported], target: Path, told: Callable[[int, int], None]) -> Copied:
    """Copy every photograph into ``target/<class>/``, by the class that a person said, else by the diagnosis.

    Nothing is overwritten: a photograph whose name is taken gets `` (2)`` and so on behind it. One whose
    bytes lie there already is not copied again, so the same call goes on where it was stopped.

    Args:
        rows: photographs and answers; answers that name nothing go to a folder of their verdict.
        target: the folder; created when missing.
        told: hears after each photograph how many are done, and of how many. May raise to stop.

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: a copy cannot be written; those before it stay.
    """
    copied, there_already, missing = 0, 0, []
    for done, row in enumerate(rows, 1):
        try:
            if _copy(row.path, target / _folder(row)):
                copied += 1
            else:
                there_already += 1
        except _GoneError:
            missing.append(row.path)
        told(done, len(rows))
    return Copied(copied, there_already, tuple(missing))


class _GoneError(Exception):
    """The photograph is gone, or cannot be read any more."""


def _values(row: Exported) -> tuple[str | float | None, ...]:
    said = row.prediction
    return (
        readable(str(row.path)),
        said.verdict,
        said.display,
        said.key,
        said.probability,
        plain_confidence(said.probability) if said.is_diagnosis else "",
        "; ".join(one.display for one in said.possible),
        said.crop_given,
        row.correction,
        said.reason,
        said.hint,
        said.model,
        said.model_hash,
        row.said,
        None if row.plant is None else str(row.plant),
        *_plant_values(row.combined),
    )


def _plant_values(said: Combined | None) -> tuple[str | float | None, ...]:
    """The same for every photograph of a plant."""
    if said is None:
        return (None,) * 8
    return (
        said.verdict,
        said.display,
        said.key,
        said.probability,
        plain_confidence(said.probability) if said.is_diagnosis else "",
        "; ".join(one.display for one in said.possible),
        basis(said),
        said.reason,
    )


def _cell(value: str | float | None) -> str | float:
    if value is None:
        return ""
    if not isinstance(value, str):
        return float(value)
    # A server may have sent half a surrogate pair, which no UTF-8 file can hold.
    text = value.encode("utf-8", "backslashreplace").decode("utf-8")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _folder(row: Exported) -> str:
    said = row.prediction
    named = row.correction or (said.key if said.is_diagnosis else said.verdict) or ""
    # Keys may come from a model file or a server: none leads out of the target or to a name no disk takes.
    return re.sub(r"[^\w.-]", "_", named.replace("/", "___")).strip(".") or "unnamed"


def _copy(photograph: Path, folder: Path) -> bool:
    """Whether a copy was written; False when the same bytes lie in the folder already."""
    with _opened(photograph) as source:
        for number in count(1):
            place = folder / _numbered(photograph, number)
            if not os.path.lexists(place):
                _write(source, place)
                return True
            if _holds_the_same(source, place):
                return False
    raise AssertionError("numbers do not end")


def _numbered(photograph: Path, number: int) -> str:
    if number == 1:
        return photograph.name
    stem, end = photograph.stem, f" ({number}){photograph.suffix}"
    while stem and len(os.fsencode(stem + end)) > LONGEST_NAME_BYTES:
        stem = stem[:-1]
    return stem + end


def _write(source: IO[bytes], place: Path) -> None:
    with replacing(place) as file:
        for piece in _pieces(source):
            file.write(piece)


def _holds_the_same(source: IO[bytes], place: Path) -> bool:
    with os_errors_translated(place):
        if not place.is_file() or place.stat().st_size != os.fstat(source.fileno()).st_size:
            return False
        with place.open("rb") as there:
            return all(piece == there.read(len(piece)) for piece in _pieces(source)) and not there.read(1)


@contextmanager
def _opened(photograph: Path) -> Iterator[IO[bytes]]:
    with _gone_when_unreadable():
        if not photograph.is_file():  # a pipe of that name would keep us waiting for ever
            raise _GoneError(photograph)
        source = photograph.open("rb")
    with source:
        yield source


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    with _gone_when_unreadable():
        source.seek(0)
    while True:
        with _gone_when_unreadable():
            piece = source.read(PIECE_BYTES)
        if not piece:
            return
        yield piece


@contextmanager
def _gone_when_unreadable() -> Iterator[None]:
    # A card pulled out in the middle must not be taken for a target that cannot be written.
    try:
        yield
    except OSError as error:
        raise _GoneError(str(error)) from error
