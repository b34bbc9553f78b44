"""What a person has, as files that can be sent: class folders and tables become archives, the rest stays.

Enters: a folder of class folders, a table (CSV) that names photographs, an archive or one photograph. Leaves:
files to send, each with its label. The same photographs give the same bytes, so that sending them again is
noticed. It opens no photograph.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from leafsight.errors import DatasetError, StorageError, UsageError
from leafsight.storage import free_name, os_errors_translated

PHOTOGRAPHS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
VOLUME_BYTES = 64 * 1024**2
"""More photographs become several archives: each is sent, kept and looked into by itself."""
MOST_PHOTOGRAPHS = 100_000
MOST_ROWS = 1_000_000
LONGEST_TABLE_BYTES = 256 * 1024**2
NAME_COLUMNS = ("photo", "photograph", "file", "filename", "image", "path", "name")
LABEL_COLUMNS = ("label", "class", "class_name", "condition")
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Sending:
    """One file to send.

    Attributes:
        path: of the file.
        label: the class of a single photograph; None for archives, whose folders say it.
        photographs: how many are in it; None for an archive that somebody else packed.
    """

    path: Path
    label: str | None
    photographs: int | None = None


@dataclass(frozen=True, slots=True)
class Photograph:
    """A file, and the name that it gets in the archive."""

    path: Path
    name: str


def sendings(path: Path, label: str | None, into: Path) -> Iterator[Sending]:
    """The files to send for what a person named; archives are made one by one as they are asked for.

    Args:
        path: folder, table, archive or photograph.
        label: the class of everything in it, when it is one.
        into: folder for archives that are made; each is gone when the next one is asked for.

    Raises:
        UsageError: it is none of these, or nothing says which class a photograph shows.
        DatasetError: the table cannot be used.
        StorageError: something cannot be read.
    """
    lower = path.name.lower()
    with os_errors_translated(path):
        is_folder, is_file = path.is_dir(), path.is_file()
    if is_folder:
        yield from _packed(_of_folder(path, label), into)
    elif not is_file:
        raise StorageError(f"there is no {path}", hint="check the path")
    elif lower.endswith(".csv"):
        yield from _packed(_of_table(path, label), into)
    elif lower.endswith(ARCHIVES):
        if label:
            raise UsageError(
                f"the folders in {path.name} say which class each of its photographs shows",
                hint="leave --label out, or unpack it and name the folder instead",
            )
        yield Sending(path, None)
    elif path.suffix.lower() in PHOTOGRAPHS:
        if not label:
            raise UsageError(
                f"nothing says what {path} shows", hint="name its class: --label tomato/early_blight"
            )
        yield Sending(path, label, 1)
    else:
        raise UsageError(
            f"{path} is neither a folder, a table, an archive nor a photograph",
            hint=f"a folder of class folders, {', '.join(('.csv', *ARCHIVES))}, or a photograph with --label",
        )


def _of_folder(folder: Path, label: str | None) -> list[Photograph]:
    """Photographs of class folders, in order of their names; with a label all of them are in one."""
    found, homeless = [], 0
    taken: dict[str, int] = {}
    with os_errors_translated(folder):
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() not in PHOTOGRAPHS or path.name.startswith(".") or not path.is_file():
                continue
            name = path.relative_to(folder).as_posix()
            if label:
                found.append(Photograph(path, free_name(f"{_class_folder(label)}/{path.name}", taken)))
            elif "/" in name:
                found.append(Photograph(path, name))
            else:
                homeless += 1
    if not found:
        if homeless:
            raise UsageError(
                f"the {homeless} photographs of {folder} lie in no class folder",
                hint="one folder for each class, or name the class of all: --label tomato/early_blight",
            )
        raise DatasetError(f"there are no photographs in {folder}", hint="JPEG, PNG, WebP, BMP or TIFF")
    return _few_enough(found, folder)


def _of_table(table: Path, label: str | None) -> list[Photograph]:
    """Photographs that a table names, each in a folder of its class."""
    taken: dict[str, int] = {}
    found = []
    for number, name, said in _rows(table, label):
        path = table.parent / Path(name).expanduser()
        with os_errors_translated(path):
            if not path.is_file():
                raise DatasetError(
                    f"{table}, line {number}: there is no {path}",
                    hint="names are relative to the folder of the table",
                )
        place = f"{_class_folder(said)}/{path.name}"
        found.append(Photograph(path, free_name(place, taken)))
    if not found:
        raise DatasetError(f"{table} names no photographs", hint="a line of names, then one for each of them")
    return _few_enough(found, table)


def _class_folder(label: str) -> str:
    return label.strip().replace("/", "___")


def _rows(table: Path, label: str | None) -> Iterator[tuple[int, str, str]]:
    """Line, photograph and class of every row."""
    with os_errors_translated(table):
        if table.stat().st_size > LONGEST_TABLE_BYTES:
            raise DatasetError(f"{table} has more than {LONGEST_TABLE_BYTES} bytes", hint="divide it")
        file = table.open(encoding="utf-8-sig", newline="")
    with file:
        try:
            first = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=first.count)
            rows = csv.reader(file, delimiter=delimiter)
            names = [cell.strip().lower() for cell in next(rows, [])]
            at, of = _column(names, NAME_COLUMNS), _column(names, LABEL_COLUMNS)
            if at is None or (of is None and not label):
                raise DatasetError(
                    f"{table} has no column of {'photographs' if at is None else 'classes'}",
                    hint=f"name one {NAME_COLUMNS[0]!r} and one {LABEL_COLUMNS[0]!r} in the first line",
                )
            for row in rows:
                if rows.line_num > MOST_ROWS:
                    raise DatasetError(f"{table} has more than {MOST_ROWS} lines", hint="divide it")
                if not any(cell.strip() for cell in row):
                    continue
                said = label or (row[of].strip() if of is not None and of < len(row) else "")
                if at >= len(row) or not row[at].strip() or not said:
                    raise DatasetError(f"{table}, line {rows.line_num}: a photograph or its class is missing")
                yield rows.line_num, row[at].strip(), said
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(f"{table} cannot be read: {error}", hint="save it as CSV in UTF-8") from error


def _column(names: Sequence[str], wanted: Iterable[str]) -> int | None:
    return next((names.index(one) for one in wanted if one in names), None)


def _packed(photographs: Sequence[Photograph], into: Path) -> Iterator[Sending]:
    for number, volume in enumerate(_volumes(photographs)):
        target = into / f"photographs-{number + 1}.zip"
        with os_errors_translated(target), zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for one in volume:
                with os_errors_translated(one.path):
                    data = one.path.read_bytes()
                archive.writestr(zipfile.ZipInfo(one.name, date_time=EPOCH), data)
        try:
            yield Sending(target, None, len(volume))
        finally:
            target.unlink(missing_ok=True)


def _volumes(photographs: Sequence[Photograph]) -> Iterator[list[Photograph]]:
    volume: list[Photograph] = []
    size_bytes = 0
    for one in photographs:
        with os_errors_translated(one.path):
            length = one.path.stat().st_size
        if volume and size_bytes + length > VOLUME_BYTES:
            yield volume
            volume, size_bytes = [], 0
        volume.append(one)
        size_bytes += length
    if volume:
        yield volume


def _few_enough(found: list[Photograph], where: Path) -> list[Photograph]:
    if len(found) > MOST_PHOTOGRAPHS:
        raise DatasetError(
            f"{where} has {len(found)} photographs, at most {MOST_PHOTOGRAPHS} are sent at once",
            hint="send its class folders one by one",
        )
    return found
