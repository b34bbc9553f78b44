"""The tables, and what fits into their columns.

Enters: nothing. Leaves: SQLAlchemy's description of every table, and a row that has been checked against it.
It does not know how the tables come to be (``migrations``; a test holds both against each other) nor what is
asked of them.

Narrow columns stand before wide ones: SQLite reads a row from its start and stops where it has all it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from leafsight.errors import UsageError
from leafsight.state.limits import MAX_COUNT, MAX_INTEGER, check_bytes, check_integer, check_text

REVISIONS = ("0001", "0002", "0003")
"""The steps of ``migrations``, oldest first."""
REVISION = REVISIONS[-1]
"""The one that makes these tables."""

ID, HASH, KEY, NAME, WORD, BLOB, NOTE = 32, 64, 100, 200, 20, 300, 2000
PATH, FINDING_KINDS, LOOK_HASH = 500, 1000, 16
MAX_EMBEDDING_BYTES = 2 * 8192
MAX_ANSWER_BYTES = 8 * 1024 * 1024
MAX_SECRET_BYTES = 64

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _json(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=nullable)


PREDICTIONS = Table(
    "predictions",
    METADATA,
    Column("id", String(ID), primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("verdict", String(WORD), nullable=False),
    Column("class_key", String(NAME)),
    Column("latency_ms", Float, nullable=False),
    Column("probability", Float),
    Column("model_hash", String(KEY), nullable=False),
    Column("model_name", String(NAME), nullable=False),
    Column("key_id", String(ID)),
    Column("plant_id", String(KEY)),
    Column("crop_given", String(KEY)),
    Column("photo_sha256", String(HASH), nullable=False),
    Column("photo_blob", String(BLOB)),
    _json("quality"),
    _json("answer"),
    Column("embedding", LargeBinary, info={"max_bytes": MAX_EMBEDDING_BYTES}),
    # holds all that the summary of a period asks for, so that it reads no row
    Index(None, "created_ms", "verdict", "class_key", "latency_ms"),
)
Index(
    None,
    PREDICTIONS.c.photo_blob,
    sqlite_where=PREDICTIONS.c.photo_blob.is_not(None),
    postgresql_where=PREDICTIONS.c.photo_blob.is_not(None),
)

CORRECTIONS = Table(
    "corrections",
    METADATA,
    Column("id", String(ID), primary_key=True),
    Column("prediction_id", String(ID), ForeignKey(PREDICTIONS.c.id), nullable=False, index=True),
    Column("created_ms", BigInteger, nullable=False, index=True),
    Column("is_right", Boolean, nullable=False),
    Column("class_key", String(NAME)),
    Column("key_id", String(ID)),
    Column("note", String(NOTE)),
)

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(ID), primary_key=True),
    Column("kind", String(KEY), nullable=False),
    Column("state", String(WORD), nullable=False, index=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    _json("request"),
    _json("progress"),
    _json("result", nullable=True),
    _json("error", nullable=True),
    Index(None, "kind", "id"),
)

UPLOADS = Table(
    "uploads",
    METADATA,
    Column("id", String(ID), primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("state", String(WORD), nullable=False, index=True),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(HASH), nullable=False),
    Column("media_type", String(KEY), nullable=False),
    Column("key_id", String(ID)),
    Column("name", String(NAME), nullable=False),
    Column("label", String(NAME)),
    Column("blob", String(BLOB), nullable=False),
)

KEYS = Table(
    "keys",
    METADATA,
    Column("id", String(ID), primary_key=True),
    Column("secret_sha256", String(HASH), nullable=False),
    Column("name", String(NAME), nullable=False),
    _json("scopes"),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("rate_per_minute", Integer),
    Column("photographs_per_day", Integer),
)

# key_id is empty for those who have no key, as a primary key cannot be absent
USAGE = Table(
    "usage",
    METADATA,
    Column("key_id", String(KEY), primary_key=True),
    Column("span", String(WORD), primary_key=True),
    Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("amount", BigInteger, nullable=False),
)

ANSWERS = Table(
    "answers",
    METADATA,
    Column("key_id", String(ID), primary_key=True),
    Column("route", String(NAME), primary_key=True),
    Column("key", String(NAME), primary_key=True),
    Column("request_sha256", String(HASH), nullable=False),
    Column("started_ms", BigInteger, nullable=False, index=True),
    Column("status", Integer),
    _json("headers", nullable=True),
    Column("body", LargeBinary, info={"max_bytes": MAX_ANSWER_BYTES}),
)

SECRETS = Table(
    "secrets",
    METADATA,
    Column("name", String(KEY), primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False, info={"max_bytes": MAX_SECRET_BYTES}),
)

CONTRIBUTIONS = Table(
    "contributions",
    METADATA,
    Column("id", String(ID), primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("state", String(WORD), nullable=False),
    Column("label", String(NAME), nullable=False),
    Column("class_name", String(NAME), nullable=False),
    Column("group_id", String(ID), nullable=False),
    Column("pixel_hash", String(HASH), nullable=False),
    Column("look_hash", String(LOOK_HASH)),
    Column("embedded_by", String(HASH)),
    Column("finding_kinds", String(FINDING_KINDS), nullable=False),
    Column("upload_id", String(ID), ForeignKey(UPLOADS.c.id)),
    Column("prediction_id", String(ID), ForeignKey(PREDICTIONS.c.id)),
    Column("key_id", String(ID)),
    Column("decided_ms", BigInteger),
    Column("decided_by", String(NAME)),
    Column("reason", String(NOTE)),
    Column("photo_sha256", String(HASH), nullable=False),
    Column("name", String(PATH), nullable=False),
    Column("blob", String(BLOB), nullable=False),
    _json("findings"),
    _json("quality"),
    Column("embedding", LargeBinary, info={"max_bytes": MAX_EMBEDDING_BYTES}),
    Index(None, "state", "id"),
    Index(None, "state", "decided_ms"),
    # those that wait without a finding in order, and how many wait with one
    Index(None, "state", "finding_kinds", "id"),
    # holds all that is counted, and a class page by page
    Index(None, "label", "id", "state"),
    Index(None, "upload_id", "id"),
    Index(None, "key_id", "id"),
    Index(None, "blob"),
)
# What was taken in once is not taken in twice, when a job begins anew.
for _of, _columns in (
    (CONTRIBUTIONS.c.upload_id, (CONTRIBUTIONS.c.upload_id, CONTRIBUTIONS.c.name)),
    (CONTRIBUTIONS.c.prediction_id, (CONTRIBUTIONS.c.prediction_id,)),
):
    Index(None, *_columns, unique=True, sqlite_where=_of.is_not(None), postgresql_where=_of.is_not(None))

DECLARED_CLASSES = Table(
    "declared_classes",
    METADATA,
    Column("name", String(NAME), primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("by", String(NAME), nullable=False),
    Column("note", String(NOTE), nullable=False),
)

# no foreign key: the answer of the challenger may be written before that of the champion
SHADOWS = Table(
    "shadows",
    METADATA,
    Column("id", String(ID), primary_key=True),
    Column("created_ms", BigInteger, nullable=False, index=True),
    Column("prediction_id", String(ID), nullable=False),
    Column("model_hash", String(KEY), nullable=False),
    Column("verdict", String(WORD), nullable=False),
    Column("class_key", String(NAME)),
    Column("probability", Float),
    Column("latency_ms", Float, nullable=False),
    Index(None, "model_hash", "created_ms"),
    Index(None, "prediction_id", "model_hash", unique=True),
)

MARKS = Table(
    "marks",
    METADATA,
    Column("name", String(KEY), primary_key=True),
    Column("updated_ms", BigInteger, nullable=False),
    _json("value"),
)

CARRIED = tuple(table for table in METADATA.sorted_tables if table is not SECRETS)
"""What backups hold, those that are referred to first. A secret stays in the database that it was made in:
whoever gets a backup must not be able to sign for the service, nor give it a secret that they know."""


def checked(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """``row`` if each of its values fits into its column.

    JSON is checked when it is written (``limits.json_text``), so that it is spelled only once.

    Raises:
        UsageError: a text, a number or bytes over what the column takes; the message names it.
    """
    checks = _checks(table)
    for name, value in row.items():
        check = checks[name]
        if value is None:
            if not table.c[name].nullable:
                raise UsageError(f"{name} is missing")
        elif check is not None:
            check(name, value)
    return dict(row)


@cache
def _checks(table: Table) -> dict[str, Callable[[str, Any], None] | None]:
    """What to hold the values of each column against; looked up once, not for each photograph."""
    return {column.name: _check(column) for column in table.c}


def _check(column: Column[Any]) -> Callable[[str, Any], None] | None:
    kind = column.type
    if isinstance(kind, String):
        return partial(check_text, max_chars=kind.length or 0)
    if isinstance(kind, LargeBinary):
        return partial(check_bytes, max_bytes=column.info["max_bytes"])
    if isinstance(kind, Integer):
        return partial(check_integer, most=MAX_INTEGER if isinstance(kind, BigInteger) else MAX_COUNT)
    return None
