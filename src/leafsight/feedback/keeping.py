"""The clerk's part of the quarantine: what the child may know is written down, what it found is kept.

Enters: an upload that was looked into, in a folder. Leaves: a blob for each usable photograph, then a row for
each. Both may be done any number of times: names of blobs are made of their bytes, and rows that are there
stay. So a job that was killed anywhere is begun again, and nothing is lost or doubled. Nothing that the child
wrote is trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leafsight.errors import StorageError
from leafsight.feedback.champion import Champion
from leafsight.feedback.examined_files import examined_embeddings, examined_lines
from leafsight.feedback.examining import ASKED, KNOWN, write_asked
from leafsight.feedback.known import known_of, save_known
from leafsight.feedback.records import (
    FINDING_KINDS,
    LONGEST_CLASS,
    MOST_PER_SOURCE,
    REJECTED,
    RULE,
    WAITING,
    Asked,
)
from leafsight.feedback.sources import brought_by
from leafsight.storage import os_errors_translated

if TYPE_CHECKING:
    from leafsight.state import Blobs, ContributionRecord, State, UploadRecord

AT_ONCE = 100
LONGEST_NAME = 500
ENDINGS = ("jpg", "png", "webp")
REFUSED_BECAUSE = "it is in the locked test"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What became of the photographs of an upload.

    Attributes:
        contributions: how many there are of it now.
        added: how many of those are new.
        refused: how many of those that are new are rejected at once.
        findings: of those that are new, how many have each kind.
        clean: how many of those that are new nothing speaks against.
    """

    contributions: int
    added: int
    refused: int
    findings: Mapping[str, int]
    clean: int


def prepare_examination(
    state: State,
    upload: UploadRecord,
    champion: Champion,
    folder: Path,
    *,
    most_per_source: int = MOST_PER_SOURCE,
    since_ms: int = 0,
) -> None:
    """Write what the child needs to judge an upload.

    Args:
        state: the database.
        upload: to be judged.
        champion: that serves.
        folder: of the child.
        most_per_source: photographs of one class that one source may bring between two trainings.
        since_ms: when the last training began.

    Raises:
        StateBusyError, StateError: the database does not answer.
        StorageError: the folder cannot be written.
    """
    own = {one.id for one in state.contributions.of_upload(upload.id)}
    brought = brought_by(
        state, upload.key_id, upload.id, since_ms=since_ms, classes=set(champion.bundle.classes),
        without_upload=upload.id,
    )  # fmt: skip
    asked = Asked(
        declared=[one.name for one in state.declared.list()],
        most_per_source=most_per_source,
        brought=dict(brought.waiting_or_accepted),
        known_before=brought.known,
        doubted_before=brought.doubted,
    )
    write_asked(asked, folder / ASKED)
    light = state.contributions.look_alikes()
    save_known(known_of(light, champion.backbone, without=own), folder / KNOWN)


def keep_examined(
    state: State,
    blobs: Blobs,
    upload: UploadRecord,
    folder: Path,
    backbone: str | None,
    *,
    max_bytes: int,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Quarantined:
    """Keep what the child found of an upload.

    Args:
        state: the database.
        blobs: the store.
        upload: that was judged.
        folder: of the child.
        backbone: of the champion; without one, embeddings are worth nothing later and are not kept.
        max_bytes: of one photograph.
        told: how many of how many are kept; may raise to stop.

    Raises:
        StateBusyError, StateError: the database or the store does not answer; begin again later.
        StorageError: the child's files are not what they should be.
    """
    there = {one.name: one.id for one in state.contributions.of_upload(upload.id)}
    lines, embeddings = list(examined_lines(folder)), examined_embeddings(folder)
    if len(embeddings) != len(lines):
        raise StorageError(f"{len(lines)} photographs and {len(embeddings)} embeddings were found")
    ids = _ids(lines, there)
    added = refused = clean = 0
    kinds: dict[str, int] = {}
    for at in range(0, len(lines), AT_ONCE):
        told(at, len(lines))
        records = []
        for row in range(at, min(at + AT_ONCE, len(lines))):
            line = lines[row]
            blob, sha = _keep_photograph(blobs, folder, line, max_bytes)
            kept = {"blob": blob, "sha": sha, "embedding": embeddings[row], "by": backbone}
            records.append(_record(state, upload, line, ids, row, **kept))
        new = set(state.contributions.add_many(records))
        for record in records:
            if record.id in new:
                added += 1
                refused += record.state == REJECTED
                clean += not any(one["blocks"] for one in record.findings)
                for kind in {str(one["kind"]) for one in record.findings}:
                    kinds[kind] = kinds.get(kind, 0) + 1
    told(len(lines), len(lines))
    return Quarantined(len(lines), added, refused, dict(sorted(kinds.items())), clean)


def _ids(lines: Sequence[Mapping[str, Any]], there: Mapping[str, str]) -> list[str]:
    """Of rows that are there already, theirs; new ones ascend in the order of the photographs."""
    from leafsight.state import new_id

    return [there.get(_name(line)) or new_id() for line in lines]


def _name(line: Mapping[str, Any]) -> str:
    """Different for different photographs, also where it has to be cut."""
    name = str(line["name"])
    if len(name) <= LONGEST_NAME:
        return name
    return f"...{name[-(LONGEST_NAME - 20) :]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _keep_photograph(blobs: Blobs, folder: Path, line: Mapping[str, Any], max_bytes: int) -> tuple[str, str]:
    """The bytes of a photograph under a name that is made of them; name and SHA-256."""
    path = (folder / str(line["file"])).resolve()
    if not path.is_relative_to(folder.resolve()) or line["ending"] not in ENDINGS:
        raise StorageError("what was found names a file that is not there")
    with os_errors_translated(path), path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise StorageError("a photograph is longer than it may be")
    sha = hashlib.sha256(data).hexdigest()
    name = contribution_blob(sha, str(line["ending"]))
    blobs.put(name, data)
    return name, sha


def contribution_blob(sha256: str, ending: str) -> str:
    """The name under which a contribution's photograph is kept."""
    return f"contributions/{sha256}.{ending}"


def _record(
    state: State,
    upload: UploadRecord,
    line: Mapping[str, Any],
    ids: Sequence[str],
    row: int,
    *,
    blob: str,
    sha: str,
    embedding: np.ndarray,
    by: str | None,
) -> ContributionRecord:
    from leafsight.state import ContributionRecord

    findings = tuple(one for one in line["findings"] if one.get("kind") in FINDING_KINDS)
    refused = any(one["kind"] == "test_duplicate" for one in findings)
    usable = by is not None and bool(np.isfinite(embedding).all())
    now_ms = state.now()
    return ContributionRecord(
        id=ids[row], created_ms=now_ms, upload_id=upload.id, key_id=upload.key_id, name=_name(line),
        class_name=str(line["class_name"])[:LONGEST_CLASS], label=str(line["label"])[:LONGEST_CLASS],
        state=REJECTED if refused else WAITING,
        photo_sha256=sha, pixel_hash=str(line["pixel_hash"]), look_hash=int(str(line["look_hash"]), 16),
        blob=blob, group_id=_group(line["group"], ids, row), findings=findings, quality=dict(line["quality"]),
        embedding=embedding if usable else None, embedded_by=by if usable else None,
        decided_ms=now_ms if refused else None, decided_by=RULE if refused else None,
        reason=REFUSED_BECAUSE if refused else None,
    )  # fmt: skip


def _group(group: object, ids: Sequence[str], row: int) -> str:
    """The id of an earlier contribution, or of the first one of this upload that shows the same."""
    if isinstance(group, str):
        return group
    return ids[group] if isinstance(group, int) and 0 <= group < len(ids) else ids[row]
