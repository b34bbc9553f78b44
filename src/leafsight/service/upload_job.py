"""Looks into an upload: what is in it, what cannot be used, what is in it twice; and what could be learned.

Enters: a job that names an upload. Leaves: the upload ``checked`` or ``refused``, its photographs in
quarantine as contributions, and the findings as the result of the job. What is kept stays, whatever is found.
Archives are opened, and photographs judged, in a process of their own (``upload_check``).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.errors import ImageError, NotFoundError
from leafsight.images import DecodeLimits, decode
from leafsight.service.correction_job import champion_of
from leafsight.service.job_work import Work, need, printed_json
from leafsight.service.newly_accepted import trained_ms
from leafsight.service.upload_check import nothing_found

if TYPE_CHECKING:
    from leafsight.feedback import Champion
    from leafsight.state import UploadRecord

TIMEOUT_S = 1800.0
LOOKED_AT_SIDE_PX = 256
PROGRAM = "leafsight.service.upload_check"
NO_MEMORY = (
    "the model that serves does not remember its locked test, so copies of it cannot be found among these"
    " photographs, and the quick path cannot learn from them"
)


def check_upload(work: Work) -> dict[str, Any]:
    """Look into the upload that ``work.job`` names; it may be done any number of times.

    Returns:
        The result of the job.

    Raises:
        MissingExtraError: it is an archive, and pyarrow is not installed; the upload goes on waiting.
        NotFoundError: there is no such upload.
        LeafsightError: it could not be looked into for a reason that is not its own.
        GivenUpError: the job was cancelled.
    """
    upload = work.state.uploads.get(str(work.job.request["upload"]))
    if upload is None:
        raise NotFoundError("the upload is not there")
    work.step("looking", "upload")
    with tempfile.TemporaryDirectory(prefix="leafsight-upload-") as made:
        folder = Path(made)
        if upload.media_type.startswith("image/"):
            found = _photograph(work, upload, folder)
        else:
            need("pyarrow")
            found = _archive(work, upload, folder)
    work.go_on()
    state = "refused" if found["refused"] else "checked"
    work.state.uploads.set_state(upload.id, state)
    asked = work.job.request
    found["notes"] = [*asked.get("notes", ()), *found["notes"]]  # of what was left out before it was kept
    return {"upload": upload.id, "state": state, **found, "left_out": asked.get("left_out", 0)}


def _photograph(work: Work, upload: UploadRecord, folder: Path) -> dict[str, Any]:
    """One photograph is opened here first, as the workers open those that they diagnose."""
    label = upload.label or ""
    limits = DecodeLimits(max_bytes=work.options.max_image_bytes, max_pixels=work.options.max_image_pixels)
    data = work.blobs.get(upload.blob)
    try:
        decode(data, limits=limits, wanted_side_px=LOOKED_AT_SIDE_PX)
    except ImageError as error:
        return {
            **nothing_found(),
            "photographs": 1,
            "refused": {"message": error.message, "hint": error.hint},
        }
    notes = [] if label else ["no class was given with it"]
    found = {**nothing_found(), "photographs": 1, "usable": 1, "classes": int(bool(label)),
             "class_counts": {label: 1} if label else {}, "notes": notes}  # fmt: skip
    if not label.strip():
        return found
    file = folder / f"photograph.{upload.name.partition('.')[2]}"
    file.write_bytes(data)
    said = folder / "label.txt"
    said.write_text(label, encoding="utf-8")  # nothing that was sent is a word of a command
    return _quarantined(work, upload, folder, [str(file), "--label-file", str(said)], found)


def _archive(work: Work, upload: UploadRecord, folder: Path) -> dict[str, Any]:
    # The id says nothing to who reads the findings.
    file = folder / f"upload.{upload.name.partition('.')[2]}"
    file.write_bytes(work.blobs.get(upload.blob))
    return _quarantined(work, upload, folder, [str(file)], {})


def _quarantined(
    work: Work, upload: UploadRecord, folder: Path, words: list[str], found: dict[str, Any]
) -> dict[str, Any]:
    """Have the photographs judged in a process of its own, and keep what it found."""
    from leafsight.feedback import accept_clean, keep_examined, prepare_examination

    options, champion = work.options, champion_of(work)
    learning = {"most_per_source": options.most_per_source, "since_ms": trained_ms(work.state)}
    prepare_examination(work.state, upload, champion, folder, **learning)
    limits = ["--max-bytes", str(options.max_image_bytes), "--max-pixels", str(options.max_image_pixels)]
    words = [*words, *limits, "--bundle", str(champion.bundle.path)]
    ended = work.child(PROGRAM, words, folder / "found.json", timeout_s=TIMEOUT_S)
    found = {**found, **printed_json(ended, folder)}
    examined = found.pop("examined", None)
    if examined is None:  # refused as a whole
        return found

    def told(done: int, total: int) -> None:
        counted = {"done": done, "total": total, "share": done / total} if total else {}
        work.progress = {"part": "upload", "step": "keeping photographs", **counted}
        work.go_on()

    kept = keep_examined(
        work.state,
        work.blobs,
        upload,
        folder,
        champion.backbone,
        max_bytes=options.max_image_bytes,
        told=told,
    )
    found["faulty"] = [*found["faulty"], *examined["faulty"]]
    found["contributions"] = {
        "contributions": kept.contributions, "added": kept.added, "refused": kept.refused,
        "clean": kept.clean,         "findings": dict(kept.findings), "left_out": examined["left_out"],
    }  # fmt: skip
    found["notes"] = [*found["notes"], *_notes(champion, examined["left_out"])]
    if options.accept == "clean":
        rule = accept_clean(work.state, champion.bundle.classes, upload_id=upload.id, **learning)
        found["contributions"]["accepted"] = rule.accepted
    return found


def _notes(champion: Champion, left_out: int) -> list[str]:
    notes = [] if champion.memory is not None else [NO_MEMORY]
    if left_out:
        notes.append(
            f"{left_out:,} photographs over the number that one upload may bring are kept but not looked at:"
            " send them in another upload"
        )
    return notes
