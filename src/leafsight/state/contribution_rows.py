"""Contributions on their way into a row and out of it, and which rows are asked for.

Enters: records, and what holds of those that are wanted. Leaves: rows that fit their columns, records, and
conditions. It does not know the database.

The kinds of findings stand in a column of their own, ``,blurred,small,``, so that those with one of them are
found without reading any JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Row, and_, true

from leafsight.errors import UsageError
from leafsight.state.ids import is_id
from leafsight.state.learning_records import CONTRIBUTION_STATES, ContributionRecord, LookAlike
from leafsight.state.limits import json_text
from leafsight.state.records import values_of
from leafsight.state.tables import CONTRIBUTIONS, checked

MOST_FINDINGS = 20
MAX_FINDINGS_BYTES = MAX_QUALITY_BYTES = 16 * 1024
ANY_FINDING, NO_FINDING = "any", "none"
"""Said in place of a kind: with some finding, whichever; without one."""
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_NARROW = ("id", "group_id", "state", "label", "pixel_hash", "look_hash", "embedded_by", "embedding")
LIGHT = tuple(CONTRIBUTIONS.c[name] for name in _NARROW)
"""The columns of a ``LookAlike``."""


def row_of(record: ContributionRecord) -> dict[str, Any]:
    """A record as a row.

    Raises:
        UsageError: a value does not fit; the message names it.
    """
    row = values_of(record)
    check_state(record.state)
    _check_id("id", record.id)
    if record.look_hash is not None:
        row["look_hash"] = _look_text(record.look_hash)
    row["quality"] = dict(record.quality)
    _check_size("quality", row["quality"], MAX_QUALITY_BYTES)
    told = {
        **finding_values(record.findings),
        **group_values(record.group_id),
        **_embedding(record.embedding),
    }
    return checked(CONTRIBUTIONS, {**row, **told})


def finding_values(findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Findings as the values of their columns.

    Raises:
        UsageError: over 20 of them, over 16 KiB of JSON, or one without ``kind``, ``said`` and ``blocks``.
    """
    plain = [dict(one) for one in findings]
    if len(plain) > MOST_FINDINGS:
        raise UsageError(f"a contribution has {len(plain)} findings, the most is {MOST_FINDINGS}")
    for one in plain:
        _check_finding(one)
    _check_size("findings", plain, MAX_FINDINGS_BYTES)
    kinds = sorted({str(one["kind"]) for one in plain})
    return {"findings": plain, "finding_kinds": f",{','.join(kinds)}," if kinds else ""}


def embedding_values(embedding: np.ndarray, embedded_by: str) -> dict[str, Any]:
    """An embedding and who made it as the values of their columns.

    Raises:
        UsageError: not float16 ``[d]``.
    """
    return {**_embedding(embedding), "embedded_by": embedded_by}


def group_values(group_id: str) -> dict[str, Any]:
    """The group as the value of its column.

    Raises:
        UsageError: it is no id.
    """
    _check_id("group_id", group_id)
    return {"group_id": group_id}


def record_of(row: Row[Any]) -> ContributionRecord:
    """A row as a record."""
    values = _read(row)
    del values["finding_kinds"]
    values["findings"] = tuple(values["findings"])
    return ContributionRecord(**values)


def look_alike_of(row: Row[Any]) -> LookAlike:
    """A row of the columns ``LIGHT`` as a record."""
    return LookAlike(**_read(row))


def wanted(
    *,
    state: str | None = None,
    upload_id: str | None = None,
    label: str | None = None,
    key_id: str | None = None,
    finding: str | None = None,
) -> ColumnElement[bool]:
    """What holds of the rows that are asked for; None asks for nothing.

    Raises:
        UsageError: there is no such state.
    """
    columns = CONTRIBUTIONS.c
    if state is not None:
        check_state(state)
    asked = {columns.state: state, columns.upload_id: upload_id, columns.label: label, columns.key_id: key_id}
    conditions = [column == value for column, value in asked.items() if value is not None]
    if finding == ANY_FINDING:
        conditions.append(columns.finding_kinds != "")
    elif finding == NO_FINDING:
        conditions.append(columns.finding_kinds == "")
    elif finding is not None:
        conditions.append(columns.finding_kinds.contains(f",{finding},", autoescape=True))
    return and_(true(), *conditions)


def check_state(state: str) -> None:
    """Refuse a word that is no state.

    Raises:
        UsageError: it is none.
    """
    if state not in CONTRIBUTION_STATES:
        raise UsageError(
            f"a contribution cannot be '{state[:40]}'", hint=f"say one of {', '.join(CONTRIBUTION_STATES)}"
        )


def _read(row: Row[Any]) -> dict[str, Any]:
    values = dict(row._mapping)
    if values["look_hash"] is not None:
        values["look_hash"] = int(values["look_hash"], 16)
    if values["embedding"] is not None:
        values["embedding"] = np.frombuffer(values["embedding"], dtype="<f2").astype(np.float16)
    return values


def _embedding(embedding: np.ndarray | None) -> dict[str, Any]:
    if embedding is None:
        return {"embedding": None}
    if embedding.dtype != np.float16 or embedding.ndim != 1:
        raise UsageError(f"embedding is {embedding.dtype}{list(embedding.shape)}, it must be float16 [d]")
    return {"embedding": embedding.astype("<f2").tobytes()}


def _look_text(look_hash: int) -> str:
    if not 0 <= look_hash < 2**64:
        raise UsageError(f"look_hash is {look_hash}, it must have 64 bits")
    return f"{look_hash:016x}"


def _check_id(name: str, value: str) -> None:
    if not is_id(value):
        raise UsageError(f"{name} is no id", hint="make it with new_id")


def _check_finding(finding: Mapping[str, Any]) -> None:
    kind = finding.get("kind")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind) or kind in (ANY_FINDING, NO_FINDING):
        raise UsageError("a finding has no kind", hint="one small word, such as 'blurred'")
    if not isinstance(finding.get("said"), str) or not isinstance(finding.get("blocks"), bool):
        raise UsageError(f"the finding '{kind}' needs 'said' (a text) and 'blocks' (true or false)")


def _check_size(name: str, value: Any, max_bytes: int) -> None:
    if (found := len(json_text(value))) > max_bytes:
        raise UsageError(f"{name} has {found} bytes of JSON, the most is {max_bytes}", hint="say less")
