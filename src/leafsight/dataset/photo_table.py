"""The columns of an index, and pyarrow, which is loaded only when a table is made or read."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any, TypeAlias

from leafsight.errors import require

FORMAT_VERSION = 2

# A pyarrow.Table. Named this way because `import leafsight.dataset` must work without pyarrow.
Table: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class FoundPhoto:
    """A file that should be a photograph, before anybody opened it.

    Attributes:
        source: name of the collection.
        root: absolute folder that ``path`` and ``stored_as`` are relative to.
        path: name of the photograph, with ``/`` between folders.
        class_name: its label as written in the source.
        stored_as: where the bytes are when not at ``path`` (photographs from an archive).
        given_group: the source says that photographs with the same value show the same thing.
        split: the split that the source itself gives.
        fault: why the file cannot be used, when that is known already: ``"kind: reason"``.
    """

    source: str
    root: str
    path: str
    class_name: str
    stored_as: str | None = None
    given_group: str | None = None
    split: str | None = None
    fault: str | None = None


@dataclass(slots=True)
class PhotoRow:
    """One row of an index; see ``docs/dataset.md`` for every column."""

    source: str
    root: str
    path: str
    class_name: str
    stored_as: str | None = None
    given_group: str | None = None
    group: str | None = None
    group_from: str | None = None
    split: str | None = None
    fault: str | None = None
    format: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    bytes: int | None = None
    mtime_ns: int | None = None
    has_gps: bool | None = None
    content_hash: str | None = None
    pixel_hash: str | None = None
    look_hash: int | None = None
    mode: str | None = None
    orientation: int | None = None
    frames: int | None = None
    camera: str | None = None
    taken: str | None = None
    sharpness: float | None = None
    margin_share: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    saturation: float | None = None
    entropy_bits: float | None = None
    shadow: float | None = None
    highlight: float | None = None
    dark_share: float | None = None
    bright_share: float | None = None
    green_share: float | None = None
    lesion_share: float | None = None
    mean_red: float | None = None
    mean_green: float | None = None
    mean_blue: float | None = None
    sketch: int | None = None
    embedding: int | None = None


_NUMBERS = {
    "width_px": "int32",
    "height_px": "int32",
    "bytes": "int64",
    "mtime_ns": "int64",
    "look_hash": "uint64",
    "orientation": "int8",
    "frames": "int32",
    "sketch": "int64",
    "embedding": "int64",
}
# Measured from the sketch of the photograph; float32 is more than eight-bit pixels can tell.
APPEARANCE = (
    "sharpness", "margin_share", "brightness", "contrast", "saturation", "entropy_bits", "shadow",
    "highlight", "dark_share", "bright_share", "green_share", "lesion_share", "mean_red", "mean_green",
    "mean_blue",
)  # fmt: skip
# Found out by opening the file; a later look at an unchanged file takes them from the earlier index.
MEASURED = (
    "fault", "format", "width_px", "height_px", "has_gps", "content_hash", "pixel_hash", "look_hash", "mode",
    "orientation", "frames", "camera", "taken", *APPEARANCE, "sketch", "embedding",
)  # fmt: skip
COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(PhotoRow))


def arrow() -> ModuleType:
    """The pyarrow library.

    Raises:
        MissingExtraError: it is not installed.
    """
    return require("pyarrow", "train")


def schema() -> Any:
    """The Arrow schema of an index."""
    pa = arrow()

    def kind(name: str) -> Any:
        if name in APPEARANCE:
            return pa.float32()
        if name in _NUMBERS:
            return getattr(pa, _NUMBERS[name])()
        return pa.bool_() if name == "has_gps" else pa.string()

    return pa.schema([pa.field(name, kind(name)) for name in COLUMNS])


def table_of(rows: list[PhotoRow]) -> Table:
    """Rows as a table, sorted by source, path and class so that the order of discovery never shows."""
    ordered = sorted(rows, key=lambda row: (row.source, row.path, row.class_name))
    columns = {name: [getattr(row, name) for row in ordered] for name in COLUMNS}
    return arrow().table(columns, schema=schema())


def rows_of(table: Table) -> list[PhotoRow]:
    """The rows of a table, in its order."""
    columns = [table.column(name).to_pylist() for name in COLUMNS]
    return [PhotoRow(*values) for values in zip(*columns, strict=True)]


def row_of(found: FoundPhoto) -> PhotoRow:
    """A row that knows only what was found."""
    return PhotoRow(
        found.source,
        found.root,
        found.path,
        found.class_name,
        found.stored_as,
        found.given_group,
        split=found.split,
        fault=found.fault,
    )
