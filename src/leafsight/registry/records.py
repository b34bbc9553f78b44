"""What the registry tells: an entry, a change of an alias, a damage; and how the first two look on disk.

Enters: plain values of a file, which may hold anything. Leaves: frozen records, or ``ValueError``. It does
not know where the files are.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from leafsight.registry.names import is_alias, is_hash

Kind = Literal["promote", "rollback"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the registry.

    Attributes:
        hash: content hash of the bundle, 64 hex digits.
        name: what people call the model.
        created_ms: when it was added, milliseconds UTC; 0 for the built-in model, which was always there.
        bytes: size of its file.
        classes: how many classes it knows.
        note: what the one who added it said.
        builtin: it is the model that ships in the package.
        damaged: its file is gone or of another size; a look at the folder, not a check of the contents.
    """

    hash: str
    name: str
    created_ms: int
    bytes: int
    classes: int
    note: str = ""
    builtin: bool = False
    damaged: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Change:
    """One move of an alias.

    Attributes:
        alias: which one.
        number: 1 for its first change; never used twice.
        kind: ``"promote"`` or ``"rollback"``.
        hash: where it points since.
        since_ms: since when, milliseconds UTC as the clock of that machine said.
        reason: why.
        by: who.
        former: where it pointed before, if anywhere.
        base: number of the change that one rollback leads to; 0 for the built-in model as it served before
            anything was promoted; None when there is no way back.
        builtin: the built-in model was meant, whichever the installed leafsight brings.
    """

    alias: str
    number: int
    kind: Kind
    hash: str
    since_ms: int
    reason: str
    by: str
    former: str | None
    base: int | None
    builtin: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in the registry that cannot be used.

    Attributes:
        what: the hash of a bundle, or the name of an alias.
        message: what is wrong with it.
        hint: what puts it right.
        aliases: names that point to it.
    """

    what: str
    message: str
    hint: str
    aliases: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"aliases": list(self.aliases)}


def entry_from_dict(values: Any, wanted_hash: str) -> Entry:
    """The entry in the plain values of its record.

    Raises:
        ValueError: they are not the record of the model ``wanted_hash``.
    """
    table = _table(values)
    if table.get("hash") != wanted_hash:
        raise ValueError("another hash")
    return Entry(
        hash=wanted_hash,
        name=_of(table, "name", str),
        created_ms=_whole(table, "created_ms"),
        bytes=_whole(table, "bytes"),
        classes=_whole(table, "classes"),
        note=_of(table, "note", str),
    )


def change_from_dict(values: Any, alias: str) -> Change:
    """The change in the plain values of a pointer or of a line of history.

    Raises:
        ValueError: they are not a change of ``alias``.
    """
    table = _table(values)
    kind, former, base = table.get("kind"), table.get("former"), table.get("base")
    content_hash, number = _of(table, "hash", str), _whole(table, "number")
    whole = (
        table.get("alias") == alias
        and is_alias(alias)
        and kind in ("promote", "rollback")
        and is_hash(content_hash)
        and (former is None or (isinstance(former, str) and is_hash(former)))
        and (base is None or 0 <= _whole(table, "base") < number)
    )
    if not whole:
        raise ValueError(f"not a change of {alias}")
    return Change(
        alias=alias,
        number=number,
        kind=cast(Kind, kind),
        hash=content_hash,
        since_ms=_whole(table, "since_ms"),
        reason=_of(table, "reason", str),
        by=_of(table, "by", str),
        former=former,
        base=base,
        builtin=_of(table, "builtin", bool),
    )


def _table(values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ValueError("not a table")
    return values


def _of(table: dict[str, Any], key: str, kind: type) -> Any:
    value = table.get(key)
    if not isinstance(value, kind):
        raise ValueError(f"{key} is not of type {kind.__name__}")
    if isinstance(value, str):
        value.encode()  # JSON can spell half characters that no file can hold
    return value


def _whole(table: dict[str, Any], key: str) -> int:
    value = table.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{key} is not a whole number")
    return value
