"""An upload that was looked into, in a folder, as the child leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.feedback.made_world import World

from leafsight.feedback import Quarantined, Sent, examine, keep_examined, prepare_examination
from leafsight.state import Blobs, State, UploadRecord, new_id


def upload_in(state: State, key_id: str | None = None) -> UploadRecord:
    """The record of an upload, which is kept."""
    one = new_id()
    record = UploadRecord(
        id=one, created_ms=state.now(), name=f"{one}.zip", bytes=1, sha256="0" * 64,
        media_type="application/zip", blob=f"uploads/{one}.zip", state="waiting", key_id=key_id,
    )  # fmt: skip
    state.uploads.add(record)
    return record


def examined(
    state: State, world: World, upload: UploadRecord, folder: Path, files: Mapping[str, bytes], **rules: Any
) -> None:
    """Photographs ``CLASS/NAME`` -> bytes, judged by a child that this process plays."""
    folder.mkdir(exist_ok=True)
    prepare_examination(state, upload, world.champion, folder, **rules)
    sent = []
    for number, (name, data) in enumerate(files.items()):
        (folder / str(number)).write_bytes(data)
        sent.append(Sent(name, name.rpartition("/")[0], folder / str(number)))
    examine(sent, world.bundle, folder)


def kept(state: State, blobs: Blobs, world: World, upload: UploadRecord, folder: Path) -> Quarantined:
    """What the child left, kept."""
    return keep_examined(state, blobs, upload, folder, world.champion.backbone, max_bytes=10**6)


def sent_in(
    state: State,
    blobs: Blobs,
    world: World,
    folder: Path,
    files: Mapping[str, bytes],
    key_id: str | None = None,
    **rules: Any,
) -> tuple[UploadRecord, Quarantined]:
    """An upload in quarantine."""
    upload = upload_in(state, key_id)
    examined(state, world, upload, folder / upload.id, files, **rules)
    return upload, kept(state, blobs, world, upload, folder / upload.id)
