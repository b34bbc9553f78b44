"""The index of a photo collection: one row a photograph, kept as Parquet.

Enters: a table with the columns of ``photo_table``. Leaves: views of it (usable rows, one split),
labels, fingerprints, a file. It does not know where photographs come from or how a split is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from leafsight.dataset.codes import encoded, in_blocks, text_column
from leafsight.dataset.photo_table import COLUMNS, FORMAT_VERSION, Table, arrow, schema
from leafsight.errors import DatasetError, require
from leafsight.storage import canonical_json, os_errors_translated, replacing

_VERSION_KEY = b"leafsight.index.format"
_NOTES_KEY = b"leafsight.index.notes"
_RECORD_KEY = b"leafsight.split"
_NOTE_SEPARATOR = "\x1e"
# What a split record tells about; with another of these the record no longer holds.
_RECORDED = ("group", "group_from", "split")


class PhotoIndex:
    """An immutable table of photographs; every method that changes something returns a new index.

    Rows are sorted by source and path. ``fault`` is null for usable photographs.

    Attributes:
        table: the ``pyarrow.Table`` with the columns named in ``docs/dataset.md``.
        notes: sentences on what was left out or looked odd while indexing.
        split_record: how the splits were made and how far they can be trusted, in plain values; empty for
            splits that were not made here. See ``split_record``.
    """

    __slots__ = ("notes", "split_record", "table")

    def __init__(
        self, table: Table, notes: Sequence[str] = (), split_record: Mapping[str, Any] | None = None
    ) -> None:
        missing = [name for name in COLUMNS if name not in table.column_names]
        if missing:
            raise DatasetError(
                f"the table lacks the columns {', '.join(missing)}", hint="build it with index_photos"
            )
        self.table: Table = table.select(list(COLUMNS)).cast(schema())
        self.notes: tuple[str, ...] = tuple(notes)
        self.split_record: Mapping[str, Any] = dict(split_record or {})

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        return f"PhotoIndex({len(self)} photographs, {len(self.classes)} classes)"

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names of the usable photographs, sorted by code point; a label is a position in it."""
        return tuple(self.class_counts())

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the collections, sorted."""
        return tuple(sorted(encoded(self.table.column("source")).names()))

    @property
    def labels(self) -> Int64[np.ndarray, " photos"]:
        """Position of each row's class in ``classes``; -1 where no usable photograph has that class."""
        return self.labels_for(self.classes)

    def labels_for(self, classes: Sequence[str]) -> Int64[np.ndarray, " photos"]:
        """Position of each row's class in ``classes``, -1 when it is not there.

        Use this when a part of the index must be labelled like the whole: ``classes`` of a part may be
        shorter.
        """
        position = {name: number for number, name in enumerate(classes)}
        mine = encoded(self.table.column("class_name"))
        # The last one is for rows without a class, whose code is -1.
        numbers = np.array([*(position.get(name, -1) for name in mine.names()), -1], np.int64)
        return np.asarray(numbers[mine.codes])

    def column(self, name: str) -> list[Any]:
        """One column as Python values, in row order."""
        values: list[Any] = self.table.column(name).to_pylist()
        return values

    def numbers(self, name: str) -> Float64[np.ndarray, " photos"]:
        """One column of numbers in row order, NaN where there is none; 8 bytes a row."""
        column = self.table.column(name).cast(arrow().float64())
        values: Float64[np.ndarray, " photos"] = column.to_numpy(zero_copy_only=False)
        return values

    def files(self) -> list[Path]:
        """Where the bytes of every row are."""
        columns = zip(self.column("root"), self.column("path"), self.column("stored_as"), strict=True)
        return [Path(root) / (stored or path) for root, path, stored in columns]

    def rows(self, ids: Sequence[int] | Int64[np.ndarray, " rows"]) -> PhotoIndex:
        """The rows at these positions, in this order."""
        positions = arrow().array(np.asarray(ids, dtype=np.int64))
        return PhotoIndex(self.table.take(positions), self.notes, self.split_record)

    def row_ids(self, *, split: str | None = None) -> Int64[np.ndarray, " rows"]:
        """Positions of the usable rows, of one split when it is named."""
        keep: Bool[np.ndarray, " photos"] = self.table.column("fault").is_null().to_numpy()
        if split is not None:
            splits = encoded(self.table.column("split"))
            names = splits.names()
            keep = keep & (splits.codes == names.index(split) if split in names else False)
        return np.flatnonzero(keep).astype(np.int64)

    def where(self, *, split: str) -> PhotoIndex:
        """The usable photographs of one split.

        Raises:
            DatasetError: there is no such split.
        """
        ids = self.row_ids(split=split)
        if not len(ids):
            present = ", ".join(sorted(self.split_counts())) or "none; run split_photos first"
            raise DatasetError(f"no photograph is in the split '{split}'", hint=f"splits here: {present}")
        return self.rows(ids)

    def usable(self) -> PhotoIndex:
        """The photographs without a fault."""
        ids = self.row_ids()
        return self if len(ids) == len(self) else self.rows(ids)

    def faults(self) -> list[tuple[str, str]]:
        """Name and fault of every photograph that cannot be used, in row order."""
        columns = zip(self.column("source"), self.column("path"), self.column("fault"), strict=True)
        return [(f"{source}/{path}", fault) for source, path, fault in columns if fault is not None]

    def class_counts(self) -> dict[str, int]:
        """Usable photographs per class, by class name."""
        return self._counts("class_name")

    def split_counts(self) -> dict[str, int]:
        """Usable photographs per split, by name."""
        return self._counts("split")

    def _counts(self, column: str) -> dict[str, int]:
        codes, names = encoded(self.table.column(column), self.row_ids()).sorted()
        return dict(zip(names, np.bincount(codes[codes >= 0], minlength=len(names)).tolist(), strict=True))

    def with_column(self, name: str, values: Sequence[Any] | Any) -> PhotoIndex:
        """The same rows with one column replaced, by an Arrow array or by Python values.

        Raises:
            DatasetError: no such column, or not one value a row.
        """
        if name not in COLUMNS or len(values) != len(self):
            raise DatasetError(f"cannot set '{name}' to {len(values)} values on {len(self)} rows")
        position = self.table.column_names.index(name)
        field = self.table.schema.field(name)
        is_arrow = isinstance(values, (arrow().Array, arrow().ChunkedArray))
        filled = values if is_arrow else arrow().array(list(values), type=field.type)
        record = None if name in _RECORDED else self.split_record
        return PhotoIndex(self.table.set_column(position, field, filled), self.notes, record)

    def with_split_record(self, record: Mapping[str, Any]) -> PhotoIndex:
        """The same rows, saying of their splits what ``record`` says, in plain values."""
        return PhotoIndex(self.table, self.notes, record)

    def with_class_names(self, rename: Callable[[str], str]) -> PhotoIndex:
        """The same rows with every class name passed through ``rename``, such as a taxonomy's lookup."""
        mine = encoded(self.table.column("class_name"))
        return self.with_column(
            "class_name", text_column(mine.codes, [rename(name) for name in mine.names()])
        )

    def fingerprint(self) -> str:
        """64 hex digits that are equal when photographs and labels are, wherever the folders are."""
        return self._digest("source", "path", "class_name", "content_hash")

    def split_fingerprint(self) -> str:
        """64 hex digits that are equal when photographs, labels and their splits are."""
        return self._digest("source", "path", "class_name", "content_hash", "split")

    def _digest(self, *columns: str) -> str:
        digest = hashlib.sha256()
        for block in zip(*(in_blocks(self.table.column(name)) for name in columns), strict=True):
            for values in zip(*block, strict=True):
                # Lengths keep ("a", "bc") and ("ab", "c") apart; names may hold any character.
                for value in values:
                    data = b"" if value is None else value.encode("utf-8")
                    digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Write Parquet (zstd), whole or not at all.

        Raises:
            DiskFullError, PermissionDeniedError, StorageError: the file cannot be written.
        """
        notes = _NOTE_SEPARATOR.join(self.notes)
        metadata = {_VERSION_KEY: str(FORMAT_VERSION).encode(), _NOTES_KEY: notes.encode()}
        if self.split_record:
            metadata[_RECORD_KEY] = canonical_json(self.split_record).encode()
        with replacing(path) as file:
            require("pyarrow.parquet", "train").write_table(
                self.table.replace_schema_metadata(metadata), file, compression="zstd"
            )

    @classmethod
    def load(cls, path: Path) -> PhotoIndex:
        """Read an index.

        Raises:
            DatasetError: not an index, damaged, or written by a newer leafsight.
            StorageError: the file is missing or unreadable.
        """
        parquet = require("pyarrow.parquet", "train")
        with os_errors_translated(path):
            data = path.read_bytes()
        try:
            # On this thread alone: Arrow's pool may still be working when a short program ends, and then ends
            # it with SIGABRT after all was done well (apache/arrow#34314; some 1 % of them on busy cores).
            table = parquet.ParquetFile(arrow().BufferReader(data)).read(use_threads=False)
        except (arrow().ArrowException, OSError) as error:
            raise DatasetError(f"{path} is not a readable index: {error}", hint="index again") from error
        metadata = table.schema.metadata or {}
        version = metadata.get(_VERSION_KEY, b"0").decode(errors="replace")
        if not version.isdigit() or not 1 <= int(version) <= FORMAT_VERSION:
            raise DatasetError(
                f"{path} has index format '{version}'; this leafsight reads 1 to {FORMAT_VERSION}",
                hint="index again, or update leafsight",
            )
        for name in COLUMNS:
            # An index of an older format knows less; the next look at the files fills the gaps.
            if name not in table.column_names and int(version) < FORMAT_VERSION:
                table = table.append_column(name, arrow().nulls(table.num_rows, schema().field(name).type))
        notes = metadata.get(_NOTES_KEY, b"").decode("utf-8", errors="replace")
        record = _read_record(metadata.get(_RECORD_KEY, b"{}"), path)
        return cls(table, [note for note in notes.split(_NOTE_SEPARATOR) if note], record)


def _read_record(data: bytes, path: Path) -> dict[str, Any]:
    try:
        record = json.loads(data)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise DatasetError(f"{path} has a damaged record of its splits", hint="split again")
    return record


def joined(indexes: Sequence[PhotoIndex]) -> PhotoIndex:
    """Several indexes as one, sorted by source and path."""
    pa = arrow()
    table = pa.concat_tables([index.table for index in indexes])
    keys = [("source", "ascending"), ("path", "ascending"), ("class_name", "ascending")]
    notes = [note for index in indexes for note in index.notes]
    return PhotoIndex(table.sort_by(keys), notes)
